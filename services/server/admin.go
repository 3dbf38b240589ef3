package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/openapi"
)

// An adminResponse writes the answer to a request on the admin socket: lines of
// JSON, each sent as soon as it is there.
type adminResponse struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	last time.Time
}

func (a *adminResponse) write(l any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := json.NewEncoder(a.w).Encode(l); err != nil {
		return err
	}
	return http.NewResponseController(a.w).Flush()
}

func (a *adminResponse) item(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return a.write(adminsocket.Message{Item: raw})
}

// itemBuffered writes an item without sending it at once: for very many items.
func (a *adminResponse) itemBuffered(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return json.NewEncoder(a.w).Encode(adminsocket.Message{Item: raw})
}

// progress writes progress, at most ten times a second.
func (a *adminResponse) progress(done, total int64, unit string) {
	a.mu.Lock()
	skip := time.Since(a.last) < 100*time.Millisecond && done < total
	if !skip {
		a.last = time.Now()
	}
	a.mu.Unlock()
	if !skip {
		a.write(adminsocket.Message{Progress: &adminsocket.Progress{Done: done, Total: total, Unit: unit}}) // if this fails, the next write fails too
	}
}

// adminRoutes are the requests of the command line on the admin socket, besides
// those to the API and to the registry.
func (n *Node) adminRoutes() map[string]func(ctx context.Context, r *http.Request, a *adminResponse) error {
	return map[string]func(context.Context, *http.Request, *adminResponse) error{
		"GET /status":                        n.adminStatus,
		"GET /projections":                   n.adminProjections,
		"GET /projections/{name}/answers":    n.adminAnswers,
		"POST /projections/{name}/switch":    n.adminSwitch,
		"POST /verify":                       n.adminVerifyLog,
		"POST /blobs/verify":                 n.adminVerify,
		"GET /dead-letters":                  n.adminDeadLetters,
		"POST /dead-letters/{manager}/retry": n.adminRetry,
		"POST /gc":                           n.adminCollect,
		"POST /backup":                       n.adminBackup,
		"POST /archive":                      n.adminArchive,
	}
}

// startAdmin listens on the data directory's socket. Requests need no
// credentials, because only the owner of the data directory can open the socket.
func startAdmin(n *Node) (*http.Server, error) {
	path := adminsocket.Path(n.Data)
	// This process holds the lock on the data directory, so a socket that is
	// already there was left by a process that has ended.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old admin socket: %w", err)
	}
	listener, err := adminsocket.Listen(path)
	if err != nil {
		return nil, fmt.Errorf("listen on the admin socket: %w", err)
	}
	mux := http.NewServeMux()
	for pattern, handle := range n.adminRoutes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a := &adminResponse{w: w}
			if err := handle(r.Context(), r, a); err != nil {
				a.write(adminsocket.Message{Error: err.Error()})
				return
			}
			a.write(adminsocket.Message{Done: true})
		})
	}
	// Whoever opens the socket is the operator, by no other credential.
	for _, prefix := range []string{openapi.Prefix + "/", "/v2/"} {
		mux.HandleFunc(prefix, func(w http.ResponseWriter, r *http.Request) {
			if !n.router.Serves(r) {
				http.Error(w, "this node does not run the service that answers this, only "+strings.Join(n.Services(), ", ")+": use a node that does", http.StatusNotFound)
				return
			}
			n.router.ServeHTTP(w, r.WithContext(access.WithPrincipal(r.Context(), access.Operates)))
		})
	}
	ctx, stop := context.WithCancel(context.Background())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	server.RegisterOnShutdown(stop) // ends commands that follow the log
	go server.Serve(listener)
	return server, nil
}
