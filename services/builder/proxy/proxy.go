// Package proxy is the way of a build to the network, when it may use it: an HTTP
// proxy that connects to what a guard lets through.
package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"hubledger/services/internal/egress"
)

// maxConnections bounds what one build has open at once.
const maxConnections = 200

// A Proxy serves one build.
type Proxy struct {
	guard     *egress.Guard
	transport *http.Transport
	server    *http.Server
	places    chan struct{}
	ctx       context.Context
	stop      context.CancelFunc
}

// New makes a proxy.
func New(guard *egress.Guard, logger *slog.Logger) *Proxy {
	p := &Proxy{guard: guard, places: make(chan struct{}, maxConnections)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.transport = &http.Transport{DialContext: guard.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
	forward := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport:    p.transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { refuse(w, err) },
		ErrorLog:     slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	p.server = &http.Server{ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 256 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case p.places <- struct{}{}:
				defer func() { <-p.places }()
			default:
				http.Error(w, "the build has too many connections", http.StatusServiceUnavailable)
				return
			}
			switch {
			case r.Method == http.MethodConnect:
				p.connect(w, r)
			case r.URL.Scheme != "http" || r.URL.Host == "":
				http.Error(w, "this is a proxy for HTTP and HTTPS", http.StatusBadRequest)
			default:
				forward.ServeHTTP(w, r)
			}
		})}
	return p
}

// Serve answers requests until Close.
func (p *Proxy) Serve(l net.Listener) { p.server.Serve(l) }

// Close ends it with all its connections.
func (p *Proxy) Close() {
	p.stop()
	p.server.Close()
	p.transport.CloseIdleConnections()
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, egress.ErrForbidden) {
		status = http.StatusForbidden
	}
	http.Error(w, err.Error(), status)
}

// connect makes a tunnel.
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	to, err := p.guard.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		refuse(w, err)
		return
	}
	defer to.Close()
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	defer context.AfterFunc(p.ctx, func() { from.Close(); to.Close() })()
	if _, err := io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{}, 1)
	go func() {
		io.Copy(to, buffered)
		closeWrite(to)
		done <- struct{}{}
	}()
	io.Copy(from, to)
	closeWrite(from)
	<-done
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}
