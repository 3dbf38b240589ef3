package cmd

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A load sends requests through HAProxy all the time: every tenth is an order.
type load struct {
	s       *shop
	client  *http.Client
	began   time.Time
	stopped chan struct{}
	done    sync.WaitGroup
	sent    atomic.Int64
	late    atomic.Int64 // answered by what had its stop signal
	again   atomic.Int64 // orders that were sent again, by the same id
	ordered atomic.Int64
	most    int64 // orders

	mu    sync.Mutex
	wrong []string
	by    map[string]int // answers, by colour
}

// senders is how many requests are on their way at once.
const senders = 6

func (s *shop) load(orders int64) *load {
	l := &load{s: s, began: time.Now(), stopped: make(chan struct{}), by: map[string]int{}, most: orders,
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}}
	for range senders {
		l.done.Go(func() {
			for {
				select {
				case <-l.stopped:
					return
				case <-time.After(5 * time.Millisecond):
				}
				l.send()
			}
		})
	}
	return l
}

// stop ends the load.
func (l *load) stop() { close(l.stopped); l.done.Wait() }

func (l *load) send() {
	n, order := l.sent.Add(1), int64(0)
	if n%10 == 0 {
		if order = l.ordered.Add(1); order > l.most {
			order = 0
			l.ordered.Add(-1)
		}
	}
	began := time.Now()
	body, err := l.ask(order)
	for range 3 { // no balancer repeats an order that was sent; who has sent it may
		if err == nil || order == 0 {
			break
		}
		l.again.Add(1)
		body, err = l.ask(order)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && len(l.wrong) < 20 {
		l.wrong = append(l.wrong, fmt.Sprintf("request %d (order %d), sent at %.1f s and over after %s: %v", n, order, began.Sub(l.began).Seconds(), time.Since(began).Round(time.Millisecond), err))
	}
	for _, colour := range []string{"blue", "green"} {
		if strings.Contains(body, "("+colour+")") {
			l.by[colour]++
		}
	}
}

// ask sends a request, or an order, and returns what is answered.
func (l *load) ask(order int64) (string, error) {
	method, url := http.MethodGet, "http://"+l.s.in+"/"
	if order > 0 {
		method, url = http.MethodPost, fmt.Sprintf("%sorders?id=order-%d", url, order)
	}
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := l.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	if resp.Header.Get("Stopping") != "" {
		l.late.Add(1)
	}
	return string(body), err
}

// failed are the requests that failed, the first twenty.
func (l *load) failed() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.wrong)
}

// share is the part of so many requests from now on that green answers, in percent.
func (l *load) share(n int) float64 {
	l.mu.Lock()
	l.by = map[string]int{}
	l.mu.Unlock()
	for ; ; time.Sleep(50 * time.Millisecond) {
		l.mu.Lock()
		green, all := l.by["green"], l.by["green"]+l.by["blue"]
		l.mu.Unlock()
		if all >= n {
			return 100 * float64(green) / float64(all)
		}
	}
}
