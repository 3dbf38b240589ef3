package connections

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A client of HTTP/2 that takes nothing from one of its streams is left there after a
// while; one that reads slowly gets all.
func TestUnreadStreamsEnd(t *testing.T) {
	const size = 6 << 20 // a client of package net/http takes 4 MiB before it reads
	for what, reads := range map[string]bool{"unread": false, "slow": true} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.ProtoMajor != 2 {
						t.Errorf("HTTP/%d", r.ProtoMajor)
					}
					_, err := Bounded(w, r).Write(make([]byte, size))
					ended <- err
				})
				var protocols http.Protocols
				protocols.SetUnencryptedHTTP2(true)
				all := make(pipes)
				server := &http.Server{Handler: h, Protocols: &protocols}
				go server.Serve(all)
				mine, theirs := net.Pipe()
				transport := &http.Transport{Protocols: &protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
					all <- from{theirs, "192.0.2.1"}
					return mine, nil
				}}
				defer func() {
					transport.CloseIdleConnections()
					mine.Close()
					close(all)
					server.Close()
				}()
				resp, err := (&http.Client{Transport: transport}).Get("http://hub/")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if !reads {
					time.Sleep(2 * stalled)
					synctest.Wait()
					select {
					case err := <-ended:
						if err == nil {
							t.Error("all was written")
						}
					default:
						t.Error("the answer is still written")
					}
					return
				}
				total := 0
				for buf := make([]byte, piece/4); ; time.Sleep(stalled / 6) {
					n, err := io.ReadFull(resp.Body, buf)
					total += n
					if err != nil {
						break
					}
				}
				if total != size {
					t.Errorf("a slow client got %d bytes", total)
				}
			})
		})
	}
}
