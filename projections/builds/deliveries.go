package builds

import (
	"context"
	"encoding/json"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Delivery is a webhook of a source whose signature was right.
type Delivery struct {
	Delivery   string // the host's id of it
	Event      string // id of its event
	Kind       string // what the host calls it, such as push
	Ping       bool
	Refs       []events.HookRef        // what it says
	More       int                     // how many further refs it names
	Pull       *events.HookPullRequest // what it says of a pull request; nil: nothing
	Repository string                  // URL of the git repository that it names
	Headers    map[string]string
	Digest     string // of the body
	Size       int64  // of the body, in bytes
	Received   time.Time
	Seq        uint64 // sequence of its event
	Again      int    // how often it came again
	Moved      int    // refs that were found to have moved because of it
}

const deliveryColumns = `SELECT d.delivery, d.event, d.kind, d.ping, d.refs, d.more, d.repository, d.pull, d.headers, d.digest, d.size, d.time, d.seq,
	COALESCE((SELECT n.times FROM redeliveries n WHERE n.source = d.source AND n.delivery = d.delivery), 0),
	(SELECT COUNT(*) FROM moves m WHERE m.source = d.source AND m.cause = d.event) FROM deliveries d `

func scanDelivery(row projections.Row) (Delivery, error) {
	var d Delivery
	var refs, pull, headers string
	var received int64
	err := row.Scan(&d.Delivery, &d.Event, &d.Kind, &d.Ping, &refs, &d.More, &d.Repository, &pull, &headers, &d.Digest, &d.Size, &received, &d.Seq, &d.Again, &d.Moved)
	if err == nil {
		err = json.Unmarshal([]byte(refs), &d.Refs)
	}
	if err == nil {
		err = json.Unmarshal([]byte(headers), &d.Headers)
	}
	if err == nil {
		d.Pull, err = optionalOf[events.HookPullRequest](pull)
	}
	d.Received = timeOf(received)
	return d, err
}

// Deliveries lists at most n webhooks of a source, the latest first, from before a
// sequence on; 0 is the beginning.
func (r Reader) Deliveries(ctx context.Context, source string, before uint64, n int) ([]Delivery, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = 1<<63 - 1
	}
	return projections.ListOf(ctx, r.DB, scanDelivery, deliveryColumns+`WHERE d.source = $1 AND d.seq < $2 ORDER BY d.seq DESC LIMIT $3`, raw, int64(before), n)
}

// Delivery is a webhook of a source by the sequence of its event; ErrNotFound.
func (r Reader) Delivery(ctx context.Context, source string, seq uint64) (*Delivery, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	d, err := scanDelivery(r.DB.QueryRowContext(ctx, deliveryColumns+`WHERE d.source = $1 AND d.seq = $2`, raw, int64(seq)))
	return one(&d, err)
}

// Seen is the event of the webhook of a source that has that id of its host; ErrNotFound.
func (r Reader) Seen(ctx context.Context, source, delivery string) (*Hook, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	var h Hook
	err = r.DB.QueryRowContext(ctx, `SELECT d.event, d.digest, d.seq FROM deliveries d WHERE d.source = $1 AND d.delivery = $2`, raw, projections.Stored(delivery)).Scan(&h.Event, &h.Digest, &h.Seq)
	return one(&h, err)
}

// A Move is where a ref was found to have gone because of an event.
type Move struct {
	Ref, Previous, Commit string // "" for no such ref
	Seq                   uint64
}

// Moves lists at most n refs of a source that were found to have moved because of the
// event of that id.
func (r Reader) Moves(ctx context.Context, source, cause string, n int) ([]Move, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (m Move, err error) {
		err = row.Scan(&m.Ref, &m.Previous, &m.Commit, &m.Seq)
		return m, err
	}, `SELECT m.ref, m.previous, m.commit_id, m.seq FROM moves m WHERE m.source = $1 AND m.cause = $2 ORDER BY m.ref LIMIT $3`, raw, projections.Stored(cause), n)
}

// A Refusal is how many webhooks of a source had no right signature in a period on
// one node.
type Refusal struct {
	Requests, Networks int64
	Until              time.Time
}

// LatestRefusal is that of the latest period; ErrNotFound.
func (r Reader) LatestRefusal(ctx context.Context, source string) (*Refusal, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	var f Refusal
	var until int64
	err = r.DB.QueryRowContext(ctx, `SELECT f.requests, f.addresses, f.until FROM refusals f WHERE f.source = $1 ORDER BY f.until DESC LIMIT 1`, raw).Scan(&f.Requests, &f.Networks, &until)
	f.Until = timeOf(until)
	return one(&f, err)
}
