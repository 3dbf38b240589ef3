package activity

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"hubledger/services/internal/operations"
)

// An Answer is an HTTP response that is kept for a request sent again.
type Answer struct {
	Status int
	Header http.Header // what is to be repeated of it
	Body   []byte
}

// MaxAnswerBody bounds the body of an answer that is kept, in bytes.
const MaxAnswerBody = 1 << 20

// MaxAnswers is how many answers are kept for one principal: the oldest go.
const MaxAnswers = 1000

// AnswerTTL is how long an answer is kept.
const AnswerTTL = 24 * time.Hour

// inFlightTTL is after how long a request without an answer is taken for
// dead, with the process that worked on it.
const inFlightTTL = 2 * time.Minute

var (
	// ErrInFlight: a request with this key is being worked on.
	ErrInFlight = errors.New("a request with this Idempotency-Key is being worked on")
	// ErrDifferentRequest: the key was used for another request.
	ErrDifferentRequest = errors.New("this Idempotency-Key was used for another request")
	// ErrAnswerTooLarge: the answer is not kept.
	ErrAnswerTooLarge = errors.New("the answer is too large to be kept")
)

// A Claim is the right to answer a request that was not answered yet. It ends
// with Finish or Abandon.
type Claim struct {
	s   *Store
	key replayKey
	id  string
}

// Begin asks whether a request was answered before. key is the request's
// Idempotency-Key and principal who asks: two principals never share a key.
// request is what was asked, in whatever form; a hash of it is kept. Either
// the prior answer or a claim is returned, or ErrInFlight, or ErrDifferentRequest.
//
// Only a hash of principal and key is stored, and answers are encrypted with
// a key derived from both: an answer may hold a secret that is shown once,
// and whoever reads the store cannot read it.
func (s *Store) Begin(ctx context.Context, principal, key string, request []byte, now time.Time) (*Answer, *Claim, error) {
	prior, claim, err := s.begin(ctx, newReplayKey(principal, key), request, now)
	if err != nil && !errors.Is(err, ErrInFlight) && !errors.Is(err, ErrDifferentRequest) {
		err = fmt.Errorf("look for an earlier answer: %w", err)
	}
	return prior, claim, err
}

func (s *Store) begin(ctx context.Context, k replayKey, request []byte, now time.Time) (*Answer, *Claim, error) {
	asked := k.requestHash(request)
	c := &Claim{s, k, uuid.NewString()}
	// The statement decides: one row, and only the dead or expired one is replaced.
	n, err := s.exec(ctx, `INSERT INTO answers (id, request, claim, until, answer, owner) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET request = excluded.request, claim = excluded.claim, until = excluded.until, answer = excluded.answer
		WHERE answers.until <= $7`, k.id, asked, c.id, operations.Micros(now.Add(inFlightTTL)), []byte{}, k.owner, operations.Micros(now))
	if err != nil {
		return nil, nil, err
	}
	if n == 1 {
		return nil, c, nil
	}
	var request0, sealed []byte
	var claim string
	found := false
	err = s.ops.Query(ctx, func(rows *sql.Rows) error { found = true; return rows.Scan(&request0, &claim, &sealed) },
		`SELECT request, claim, answer FROM answers WHERE id = $1`, k.id)
	switch {
	case err != nil:
		return nil, nil, err
	case !found: // it was abandoned in between
		return nil, nil, ErrInFlight
	case subtle.ConstantTimeCompare(request0, asked) == 0:
		return nil, nil, ErrDifferentRequest
	case claim != "":
		return nil, nil, ErrInFlight
	}
	plain, err := k.open(sealed)
	if err != nil {
		return nil, nil, err
	}
	prior := &Answer{}
	return prior, nil, json.Unmarshal(plain, prior)
}

// Finish keeps the answer for AnswerTTL, or until its principal has MaxAnswers
// that are newer. An answer that is too large gives
// the key free, and ErrAnswerTooLarge.
func (c *Claim) Finish(ctx context.Context, a Answer, now time.Time) error {
	if len(a.Body) > MaxAnswerBody {
		return errors.Join(ErrAnswerTooLarge, c.Abandon(ctx))
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = c.s.exec(ctx, `UPDATE answers SET claim = '', until = $1, answer = $2 WHERE id = $3 AND claim = $4`,
		operations.Micros(now.Add(AnswerTTL)), c.key.seal(plain), c.key.id, c.id)
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	_, err = c.s.exec(ctx, `DELETE FROM answers WHERE id IN
		(SELECT id FROM answers WHERE owner = $1 AND claim = '' ORDER BY until DESC, id LIMIT 1000000 OFFSET $2)`, c.key.owner, MaxAnswers)
	if err != nil {
		return fmt.Errorf("forget the oldest answers: %w", err)
	}
	return nil
}

// Abandon gives the key free: the request failed in a way that a later try
// may not.
func (c *Claim) Abandon(ctx context.Context) error {
	if _, err := c.s.exec(ctx, `DELETE FROM answers WHERE id = $1 AND claim = $2`, c.key.id, c.id); err != nil {
		return fmt.Errorf("give an Idempotency-Key free: %w", err)
	}
	return nil
}

// purgeRows bounds the rows of one change: others wait behind it.
const purgeRows = 100

// Purge takes away the answers whose time is over.
func (s *Store) Purge(ctx context.Context, now time.Time) error {
	for n := int64(purgeRows); n == purgeRows; {
		var err error
		n, err = s.exec(ctx, `DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE until <= $1 LIMIT $2)`,
			operations.Micros(now), purgeRows)
		if err != nil {
			return fmt.Errorf("purge old answers: %w", err)
		}
	}
	return nil
}

// exec runs one statement as a change of its own.
func (s *Store) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.ops.Change(ctx, operations.NoLock, func(t *operations.Tx) (err error) {
		n, err = t.Exec(query, args...)
		return err
	})
	return n, err
}
