package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// web takes requests until ctx ends, and finishes those that it has taken.
func web(ctx context.Context) error {
	conn, js, err := dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var stopping atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		// Who is about to stop says so first: balancers send nothing more then.
		if stopping.Load() || !conn.IsConnected() {
			http.Error(w, "stopping, or without the queue", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, self()) })
	mux.HandleFunc("GET /cart", func(w http.ResponseWriter, _ *http.Request) {
		if version == "broken" {
			http.Error(w, "the cart is on fire", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "your cart, by", self())
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		// An order has an id: sent again, it is the same order.
		id := r.FormValue("id")
		if id == "" {
			id = fmt.Sprint(time.Now().UnixNano())
		}
		if _, err := js.Publish(r.Context(), subjectOrders, []byte(id), jetstream.WithMsgID(id)); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "order", id, "taken by", self())
	})
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		s, err := js.Stream(r.Context(), streamDone)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		info, err := s.Info(r.Context(), jetstream.WithSubjectFilter(subjectDone+">"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		for subject, n := range info.State.Subjects {
			fmt.Fprintln(w, n, "orders done by", subject[len(subjectDone):])
		}
	})
	s := &http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() && r.URL.Path != "/healthz" { // no balancer is to send anything any more
			w.Header().Set("Stopping", "1")
		}
		mux.ServeHTTP(w, r)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		stopping.Store(true)
		time.Sleep(4 * time.Second) // until balancers have asked for /healthz, twice
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Shutdown(end)
	}()
	if err := s.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	<-ended // what was taken is answered
	return nil
}
