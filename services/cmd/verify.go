package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
	"hubledger/services/audit/verify"
	"hubledger/services/cmd/console"
	"hubledger/streams/disk"
)

type verifyCmd struct {
	Since       string   `help:"Checkpoint that you have kept: its events must be the first ones of the log." placeholder:"FILE"`
	Key         string   `help:"Public key that you know to be the log's: a file, or the key itself. Without it the one in the data directory is believed." placeholder:"KEY"`
	Witness     []string `help:"Public key of a witness that you know: a file, or the key itself; only cosignatures of those that are named count. Without it they are those in the data directory." placeholder:"KEY"`
	PostgresURL string   `name:"postgres-url" help:"PostgreSQL database that has the journal, when the hub is stopped." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (verifyCmd) Help() string {
	return `Reads the whole log and compares it with the journal, with the Merkle tree over
both, and with the last signed checkpoint. It names the first event that is not as it
was. The hub may run or be stopped. Exit code 0: all agree; 4: something differs.`
}

func (c *verifyCmd) Run(s *console.Session) error {
	if _, err := os.Stat(s.Data); err != nil {
		return fmt.Errorf("there is no data directory: %w; name it with --data", err)
	}
	asked, err := c.asked(s.Data)
	if err != nil {
		return err
	}
	bar := s.Bar("verifying")
	var report *verify.Report
	lock, err := disk.LockDir(s.Data)
	switch {
	case errors.Is(err, disk.ErrLocked): // the hub runs
		err = console.Items(s, "POST", "/verify", asked.values(), bar, func(r verify.Report) error {
			report = &r
			return nil
		})
	case err == nil:
		defer lock.Release()
		report, err = c.stopped(s.Context, s.Data, asked, func(done, total uint64) { bar.Set(int64(done), int64(total), "events") })
		bar.End()
		if err == nil && s.JSON {
			err = s.Print(report)
		}
	}
	if err == nil && report == nil {
		err = errors.New("the hub's answer has no report")
	}
	if err != nil {
		return err
	}
	return c.print(s, report)
}

// An asked is what is compared beside what the hub has.
type asked struct {
	keys      checkpoint.Keys
	since     *checkpoint.Checkpoint
	witnesses []*checkpoint.WitnessKey
	text      string // of since
}

// values are the request to a hub that runs.
func (a asked) values() url.Values {
	v := url.Values{}
	if a.keys != nil {
		v.Set("keys", strings.Join(a.keys, "\n"))
	}
	if a.witnesses != nil {
		var text strings.Builder
		for _, k := range a.witnesses {
			fmt.Fprintln(&text, k)
		}
		v.Set("witnesses", text.String())
	}
	if a.since != nil {
		v.Set("since", a.text)
	}
	return v
}

func (c *verifyCmd) asked(data string) (a asked, err error) {
	if c.Key != "" {
		if a.keys, err = readKeys(c.Key); err != nil {
			return a, err
		}
	}
	if a.witnesses, err = readWitnesses(c.Witness); err != nil {
		return a, err
	}
	if c.Since == "" {
		return a, nil
	}
	text, err := readFile(c.Since, checkpoint.MaxSize)
	if err != nil {
		return a, fmt.Errorf("--since: %w", err)
	}
	keys := a.keys
	if keys == nil { // those of that generation, as this directory has them
		if keys, err = keysOf(data, text); err != nil {
			return a, fmt.Errorf("--since: %w", err)
		}
	}
	old, err := checkpoint.Open(text, keys)
	if err != nil {
		return a, fmt.Errorf("--since: %w", err)
	}
	a.since, a.text = &old, string(text)
	return a, nil
}

// keysOf are the keys that a data directory has of the log that a checkpoint names.
func keysOf(data string, signed []byte) (checkpoint.Keys, error) {
	named, err := checkpoint.Parse(string(signed))
	if err != nil {
		return nil, err
	}
	dirs, err := filepath.Glob(filepath.Join(data, "proofs", "*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if filepath.Base(dir) == checkpoint.GenerationOf(named.Origin) {
			return tree.Dir(dir).Keys()
		}
	}
	return nil, fmt.Errorf("the data directory has no key of %.200q: name it with --key", named.Origin)
}

// readKeys reads public keys out of a file, or takes the text as one.
func readKeys(name string) (checkpoint.Keys, error) {
	text, err := readFile(name, 1<<20)
	if err != nil && strings.Count(name, "+") >= 2 {
		text, err = []byte(name), nil
	}
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	keys, err := checkpoint.ParseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	return keys, nil
}

// readWitnesses reads the keys of witnesses out of files, or takes the texts as such.
func readWitnesses(names []string) (keys []*checkpoint.WitnessKey, err error) {
	for _, name := range names {
		text, err := readFile(name, 1<<20)
		if err != nil && strings.Count(name, "+") >= 2 {
			text, err = []byte(name), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--witness: %w", err)
		}
		in, err := checkpoint.ParseWitnessKeys(string(text))
		if err != nil {
			return nil, fmt.Errorf("--witness: %w", err)
		}
		keys = append(keys, in...)
	}
	return keys, nil
}

// readFile reads a file of at most so many bytes; - is the standard input.
func readFile(name string, most int64) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return b, err
}

func (c *verifyCmd) print(s *console.Session, r *verify.Report) error {
	if !s.JSON {
		for _, f := range r.Findings {
			fmt.Fprintln(s.Out, f)
		}
		signed, since := "nothing yet", ""
		if r.Signed > 0 {
			signed = fmt.Sprintf("%d events of %s", r.Signed, r.Origin)
		}
		if c.Since != "" {
			since = fmt.Sprintf("%d events", r.Since)
		}
		facts := [][]string{{"events", fmt.Sprint(r.Events)}, {"root", r.Root}, {"signed", signed}, {"cosigned", cosignedBy(r)}, {"since", since}}
		if n := len(r.Redacted); n > 0 {
			facts = append(facts, []string{"redacted", redactedEvents(r.Redacted)})
		}
		if err := s.Facts(facts); err != nil {
			return err
		}
	}
	if n := len(r.Findings); n > 0 {
		return &console.ExitError{Err: fmt.Errorf("the log is not as it should be: %s", r.Findings[0]), Code: console.ExitDiff}
	}
	if s.JSON {
		return nil
	}
	text := "The log, the journal, the tree and the checkpoint agree."
	if c.Since != "" {
		text += " The log begins with the events of the older checkpoint."
	}
	if c.Key == "" && r.Signed > 0 {
		text += " The key is the one in the data directory: to compare with the one that you know, give it by --key."
	}
	_, err := fmt.Fprintln(s.Out, text)
	return err
}

// cosignedBy says which witnesses have cosigned the last checkpoint; "" without any.
func cosignedBy(r *verify.Report) string {
	switch {
	case r.Witnesses == 0:
		return ""
	case len(r.Cosigned) == 0:
		return fmt.Sprintf("by none of %d witnesses", r.Witnesses)
	}
	return fmt.Sprintf("by %d of %d witnesses: %s", len(r.Cosigned), r.Witnesses, strings.Join(r.Cosigned, ", "))
}

// stopped compares what a data directory has, of which this process holds the lock.
func (c *verifyCmd) stopped(ctx context.Context, data string, a asked, progress func(done, total uint64)) (*verify.Report, error) {
	log, err := openStopped(ctx, data)
	if err != nil {
		return nil, err
	}
	config := verify.Config{Last: log.last, Log: log.read, Dir: tree.Of(data, log.generation), Keys: a.keys, Since: a.since, Witnesses: a.witnesses, Progress: progress}
	store, err := openJournal(ctx, data, c.PostgresURL, log.generation)
	if err != nil {
		return nil, err
	}
	if store != nil {
		defer store.Close()
		config.Journal = store.DB()
	}
	return verify.Run(ctx, config)
}

// redactedEvents names events whose data was taken away.
func redactedEvents(list []uint64) string {
	const most = 20
	var b strings.Builder
	for k, seq := range list[:min(len(list), most)] {
		fmt.Fprintf(&b, "%s%d", console.If(k > 0, ", "), seq)
	}
	switch {
	case len(list) == verify.MaxRedacted:
		fmt.Fprintf(&b, " and at least %d more", len(list)-most)
	case len(list) > most:
		fmt.Fprintf(&b, " and %d more", len(list)-most)
	}
	return b.String()
}
