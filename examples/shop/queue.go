package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamOrders, subjectOrders = "ORDERS", "orders"
	streamDone, subjectDone     = "DONE", "done."
	consumer                    = "workers"
)

// queue is a NATS server with JetStream in DATA, on PORT.
func queue(ctx context.Context) error {
	dir, port := "/data", 4222
	if text := os.Getenv("DATA"); text != "" {
		dir = text
	}
	if n, err := strconv.Atoi(os.Getenv("PORT")); err == nil {
		port = n
	}
	s, err := server.NewServer(&server.Options{Host: "0.0.0.0", Port: port, JetStream: true, StoreDir: dir, NoSigs: true})
	if err != nil {
		return err
	}
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// dial connects to the queue, and makes its streams where they are missing. It waits for a
// queue that starts beside it.
func dial(ctx context.Context) (*nats.Conn, jetstream.JetStream, error) {
	at := os.Getenv("QUEUE")
	if at == "" {
		at = "nats://queue:4222"
	}
	conn, err := nats.Connect(at, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, nil, err
	}
	for ctx.Err() == nil {
		if err = streams(ctx, js); err == nil {
			return conn, js, nil
		}
		fmt.Println("waits for the queue:", err)
		time.Sleep(500 * time.Millisecond)
	}
	conn.Close()
	return nil, nil, ctx.Err()
}

func streams(ctx context.Context, js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: streamOrders, Subjects: []string{subjectOrders}, Retention: jetstream.WorkQueuePolicy, Duplicates: 10 * time.Minute})
	_, other := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: streamDone, Subjects: []string{subjectDone + ">"}, MaxAge: 24 * time.Hour})
	return errors.Join(err, other)
}
