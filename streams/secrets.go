package streams

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// secretsBucket is the key-value bucket beside the log.
const secretsBucket = "SECRETS"

// MaxSecretSize bounds one secret, in bytes.
const MaxSecretSize = 64 << 10

// secretOverhead is what encryption adds to a secret at most.
const secretOverhead = 4 << 10

// canaryKey holds a secret that everybody may know. What does not open it is
// the wrong key file.
const canaryKey = "canary"

const canaryText = "this bucket is encrypted with the key that opens this"

var (
	// ErrNoSecret: there is no secret under that key. It wraps fs.ErrNotExist.
	ErrNoSecret = fmt.Errorf("no such secret: %w", fs.ErrNotExist)
	// ErrSecretConflict: the secret was changed since that revision. It wraps events.ErrConflict.
	ErrSecretConflict = fmt.Errorf("secret: %w", events.ErrConflict)
	// ErrSecretKey: the key file does not open what is stored, or what is
	// stored was not written with it under that name.
	ErrSecretKey = errors.New("the secrets' key does not open what is stored")
)

// Secrets are records that may not stand in the log: password hashes, e-mail
// addresses, signing keys. They lie in a bucket of the same NATS servers,
// each encrypted to a key that is kept apart from the data. A secret is bound
// to its name, so that one cannot be put in another's place.
//
// What Put, Update and Destroy have returned nil for is on disk. Reads are
// answered by the bucket's leader: they see every write that was answered,
// on whatever node it was made.
type Secrets struct {
	log    *Log
	stream jetstream.Stream // what is under kv
	kv     jetstream.KeyValue
	box    *secretBox
}

// OpenSecrets opens the bucket and makes it when it is missing. keyFile holds
// an age identity; it is made when there are no secrets yet. The error wraps
// ErrSecretKey when the key is not the one the secrets were written with, and
// events.ErrReadOnly when the log is in quarantine or there are no secrets
// yet and none may be written.
func OpenSecrets(ctx context.Context, log *Log, keyFile string) (*Secrets, error) {
	if log.js == nil {
		return nil, fmt.Errorf("open the secrets: %w", log.ReadOnly())
	}
	s := &Secrets{log: log}
	for attempt := 0; ; attempt++ {
		err := s.open(ctx, keyFile)
		if err == nil {
			return s, nil
		}
		// A cluster may be about to choose the leader of the bucket, which another
		// node has made a moment ago.
		if !unanswered(err) || log.config.URL == "" || pause(ctx, attempt) != nil {
			return nil, fmt.Errorf("open the secrets: %w", err)
		}
		log.config.Progress("waiting for the NATS servers", 0, 0)
	}
}

// unanswered says whether nobody has answered a request yet.
func unanswered(err error) bool {
	var e *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.As(err, &e) && e.Code == 503
}

func (s *Secrets) open(ctx context.Context, keyFile string) (err error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	s.stream, err = s.log.js.Stream(ctx, secretsStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := s.log.ReadOnly(); err != nil {
			return err
		}
		s.stream, err = s.log.js.CreateStream(ctx, s.bucketConfig())
	}
	if err != nil {
		return err
	}
	if s.kv, err = s.log.js.KeyValue(ctx, secretsBucket); err != nil {
		return err
	}
	stored, _, err := s.sealed(ctx, canaryKey)
	if errors.Is(err, ErrNoSecret) {
		return s.begin(ctx, keyFile)
	}
	if err != nil {
		return err
	}
	if s.box, err = readSecretKey(keyFile); err != nil {
		return fmt.Errorf("there are secrets already, and their key is needed: %w; put it back from its backup, or copy it from another node", err)
	}
	if _, err := s.box.open(canaryKey, stored); err != nil {
		return fmt.Errorf("key file %s: %w: it is not the one the secrets were written with; put that one back", keyFile, err)
	}
	return nil
}

// begin is the first opening. Of several nodes one writes the canary, and the
// others must have its key.
func (s *Secrets) begin(ctx context.Context, keyFile string) (err error) {
	if err := s.log.ReadOnly(); err != nil {
		return err
	}
	if s.box, err = readSecretKey(keyFile); errors.Is(err, fs.ErrNotExist) {
		s.box, err = makeSecretKey(keyFile)
	}
	if err != nil {
		return err
	}
	_, err = s.Update(ctx, canaryKey, []byte(canaryText), 0)
	if !errors.Is(err, ErrSecretConflict) {
		return err
	}
	if _, _, err = s.Get(ctx, canaryKey); errors.Is(err, ErrSecretKey) {
		return fmt.Errorf("key file %s: %w: another node made one first; copy its key file here", keyFile, err)
	}
	return err
}

// Get reads a secret and the revision to name in Update. ErrNoSecret.
func (s *Secrets) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	stored, revision, err := s.sealed(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	value, err := s.box.open(key, stored)
	if err != nil {
		return nil, 0, fmt.Errorf("secret %s: %w", key, err)
	}
	return value, revision, nil
}

// Put stores a secret, whatever was there before.
func (s *Secrets) Put(ctx context.Context, key string, value []byte) error {
	_, err := s.write(ctx, key, value, s.kv.Put)
	return err
}

// Update stores a secret if it still has that revision, 0 for none at all,
// and returns the new one. ErrSecretConflict.
func (s *Secrets) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return s.write(ctx, key, value, func(ctx context.Context, key string, sealed []byte) (uint64, error) {
		if revision == 0 {
			return s.kv.Create(ctx, key, sealed)
		}
		return s.kv.Update(ctx, key, sealed, revision)
	})
}

func (s *Secrets) write(ctx context.Context, key string, value []byte, put func(context.Context, string, []byte) (uint64, error)) (uint64, error) {
	if err := s.writable(key); err != nil {
		return 0, err
	}
	if len(value) > MaxSecretSize {
		return 0, fmt.Errorf("secret %s has %d bytes, %d are allowed", key, len(value), MaxSecretSize)
	}
	sealed, err := s.box.seal(key, value)
	if err != nil {
		return 0, fmt.Errorf("secret %s: %w", key, err)
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	revision, err := put(ctx, key, sealed)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return 0, fmt.Errorf("%w: %s", ErrSecretConflict, key)
	}
	if err != nil {
		return 0, fmt.Errorf("write secret %s: %w", key, err)
	}
	if err := s.overwrite(ctx, key, revision); err != nil { // the next write of the key does it
		s.log.config.Logger.Warn("a secret that was replaced could not be overwritten on the disk", "key", key, "error", err)
	}
	return revision, nil
}

// Destroy takes a secret away for good; one that is not there is no error. Its
// ciphertext is overwritten with random bytes in the servers' files, as is that
// of a secret that Put or Update replaced. Where these servers are several it
// also is in the journal by which they agree, until they compact that. Backups
// keep it until they expire, and so may file systems and disks that write
// elsewhere than they were told.
func (s *Secrets) Destroy(ctx context.Context, key string) error {
	if err := s.writable(key); err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := s.overwrite(ctx, key, everyRecord); err != nil {
		return fmt.Errorf("destroy secret %s: %w", key, err)
	}
	return nil
}

// secretKeySyntax is that of parts between dots which no wildcard is in.
var secretKeySyntax = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func checkSecretKey(key string) error {
	if len(key) > 200 || !secretKeySyntax.MatchString(key) {
		return fmt.Errorf("%.80q is no name of a secret", key)
	}
	return nil
}

func (s *Secrets) writable(key string) error {
	if err := checkSecretKey(key); err != nil {
		return err
	}
	return s.log.ReadOnly()
}

// Keys lists the names of all secrets that begin with prefix, which is empty
// or ends with a dot, in no order.
func (s *Secrets) Keys(ctx context.Context, prefix string) ([]string, error) {
	if prefix != "" {
		if err := checkSecretKey(strings.TrimSuffix(prefix, ".")); err != nil || !strings.HasSuffix(prefix, ".") {
			return nil, fmt.Errorf("%.80q is no beginning of names of secrets", prefix)
		}
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	// The bucket's own list waits for every record that was there when it was
	// asked for, also for one that is destroyed meanwhile.
	info, err := s.stream.Info(ctx, jetstream.WithSubjectFilter(secretsSubject+prefix+">"))
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	var keys []string
	for subject := range info.State.Subjects {
		if key := strings.TrimPrefix(subject, secretsSubject); key != canaryKey {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}
