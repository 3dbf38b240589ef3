package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/githook"
	"hubledger/services/internal/origin"
)

// readHook reads the body of a webhook. Its memory is counted as it arrives, so that
// who only announces much takes nothing from others. The server bounds its time.
func readHook(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > githook.MaxBody {
		return nil, errTooLarge
	}
	const step = 16 << 10
	tab, body := budget.Of(r.Context()), http.MaxBytesReader(w, r.Body, githook.MaxBody)
	var data []byte
	for {
		if len(data) == cap(data) {
			more := max(step, cap(data))
			if r.ContentLength >= 0 {
				more = max(1, min(more, int(r.ContentLength)+1-cap(data))) // one more, to see its end
			}
			if err := tab.Hold(int64(more)); err != nil {
				return nil, err
			}
			data = append(make([]byte, 0, cap(data)+more), data...)
		}
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		var large *http.MaxBytesError
		switch {
		case err == io.EOF:
			return data, nil
		case errors.As(err, &large):
			return nil, errTooLarge
		case err != nil:
			return nil, endpoint.Fail(http.StatusBadRequest, "the webhook's body could not be read to its end").Because(err)
		}
	}
}

var errTooLarge = endpoint.Fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("a webhook has at most %d MiB", githook.MaxBody>>20))

// authentic is the source that a webhook is for, when it was signed with its secret;
// errRefused otherwise. The same is done where there is no such source.
func (s *Sources) authentic(ctx context.Context, r *http.Request, body []byte) (*builds.Source, error) {
	of, err := s.Read.SourceByID(ctx, r.PathValue("source"))
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return nil, err
	}
	host, secret := events.HostGitHub, s.noSecret
	if of != nil {
		host = of.Settings.Host
		if secret, err = s.hookSecret(ctx, of); err != nil {
			return nil, err
		}
	}
	right := githook.Verify(host, secret, r.Header, body)
	if of == nil || !right {
		if of != nil {
			s.refused.count(of, origin.Of(r).Addr)
		}
		return nil, errRefused
	}
	return of, nil
}

// hookSecret is what the webhooks of a source are signed with. A record of a secret
// never changes: settings that name another one have another secret.
func (s *Sources) hookSecret(ctx context.Context, of *builds.Source) (string, error) {
	record := of.Settings.HookSecret
	if secret, ok := s.known.get(of.ID, record); ok {
		return secret, nil
	}
	secret, _, err := s.Secrets.Get(ctx, secretName(of.ID, record))
	if errors.Is(err, fs.ErrNotExist) {
		s.Logger.Warn("the webhook secret of a git source is lost: make a new one with `hubledger sources set --new-hook-secret`", "source", of.Name)
		return s.noSecret, nil
	}
	if err == nil {
		s.known.put(of.ID, knownSecret{record, string(secret)})
	}
	return string(secret), err
}

// knownSecrets are the secrets of the sources that have sent webhooks lately, by
// source: a new one takes the place of the one before.
type knownSecrets struct {
	mu  sync.Mutex
	all map[string]knownSecret
}

type knownSecret struct{ record, secret string }

// maxKnown bounds them. When there are more, any are forgotten.
const maxKnown = 10_000

func (k *knownSecrets) get(source, record string) (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.all[source]
	return s.secret, s.record == record && record != ""
}

func (k *knownSecrets) put(source string, s knownSecret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[string]knownSecret{}
	}
	for other := range k.all {
		if len(k.all) < maxKnown {
			break
		}
		delete(k.all, other)
	}
	k.all[source] = s
}
