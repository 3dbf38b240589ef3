package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// worker does one order after the other until ctx ends. An order that it has taken it finishes
// first: who stops it gives it the grace of the Compose file.
func worker(ctx context.Context) error {
	conn, js, err := dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for ctx.Err() == nil {
		c, err := js.CreateOrUpdateConsumer(ctx, streamOrders, jetstream.ConsumerConfig{Durable: consumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second})
		if err != nil {
			time.Sleep(500 * time.Millisecond)
			continue
		}
		if err := work(ctx, js, c); err != nil && ctx.Err() == nil {
			fmt.Println("the queue:", err)
			time.Sleep(500 * time.Millisecond)
		}
	}
	return nil
}

// work takes one order at a time, so that none waits here while other workers are idle.
func work(ctx context.Context, js jetstream.JetStream, c jetstream.Consumer) error {
	for ctx.Err() == nil {
		batch, err := c.Fetch(1, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			return err
		}
		for m := range batch.Messages() {
			if err := do(js, m); err != nil {
				return err
			}
		}
		if err := batch.Error(); err != nil {
			return err
		}
	}
	return nil
}

// do does an order, which takes some milliseconds, and says so before it is taken from the queue.
func do(js jetstream.JetStream, m jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	time.Sleep(5 * time.Millisecond)
	if _, err := js.Publish(ctx, subjectDone+version+"-"+os.Getenv("HUBLEDGER_COLOUR"), m.Data()); err != nil {
		return err
	}
	return m.DoubleAck(ctx)
}

// done prints the orders that were done.
func done(ctx context.Context) error {
	conn, js, err := dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	c, err := js.OrderedConsumer(ctx, streamDone, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	for {
		batch, err := c.FetchNoWait(1000)
		if err != nil {
			return err
		}
		n := 0
		for m := range batch.Messages() {
			n++
			fmt.Println(string(m.Data()), m.Subject()[len(subjectDone):])
		}
		if n == 0 {
			return batch.Error()
		}
	}
}
