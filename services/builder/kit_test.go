package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/projections/sqlitestore"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/sealedlog"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/process"
	"hubledger/services/internal/repository"
	"hubledger/streams"
	"hubledger/streams/buildlog"
	"hubledger/streams/streamtest"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var tester = command.By{Source: "/test", Actor: "tester"}

// id is a UUIDv7 with that number.
func id(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

const acme, app, git = 1, 2, 3 // a namespace, its repository and its git source

// rulesOf sets the build rules of acme/app.
func rulesOf(rules ...events.BuildRule) events.RulesSet {
	return events.RulesSet{Namespace: id(acme), Repository: id(app), Name: "acme/app", Source: id(git), Rules: rules}
}

func rule(name string, needs ...string) events.BuildRule {
	return events.BuildRule{Name: name, Branch: "main", Tags: []string{name}, Autobuild: true, Needs: needs}
}

func moved(ref, old, new string) events.RefMoved {
	kind := events.RefBranch
	if ref[:10] == "refs/tags/" {
		kind = events.RefTag
	}
	return events.RefMoved{Namespace: id(acme), Source: id(git), Ref: ref, Kind: kind, Old: old, New: new}
}

// evaluated is what the rules of acme/app make of main: a build by each rule named.
func evaluated(commit string, rules ...string) events.PushEvaluated {
	e := events.PushEvaluated{Namespace: id(acme), Repository: id(app), Name: "acme/app", Source: id(git), Ref: "refs/heads/main", Commit: commit, RulesEvent: id(9)}
	for _, name := range rules {
		e.Verdicts = append(e.Verdicts, events.RuleVerdict{Rule: name, Outcome: events.OutcomeBuild, Reason: "matched", Detail: "it matches", Tags: []string{name}})
	}
	e.Verdicts = append(e.Verdicts, events.RuleVerdict{Rule: "other", Outcome: events.OutcomeSkip, Reason: "name_differs", Detail: "it does not"})
	return e
}

// byRules is an event, of an evaluation with the rules that were set last.
func byRules(t testing.TB, log command.Log, p events.Payload) events.Payload {
	t.Helper()
	if e, ok := p.(events.PushEvaluated); ok {
		set, err := log.Last(context.Background(), events.RulesSubject(e.Namespace, e.Repository))
		check(t, err)
		e.RulesEvent = set.ID()
		return e
	}
	return p
}

// A world is the service on a real log and read model, with a driver that does what
// the test says.
type world struct {
	*Builder
	t      testing.TB
	log    *streams.Log
	driver *fake
	tags   *fakeTags
	readme string       // of acme/app
	stop   func()       // ends the local builder
	dead   atomic.Bool  // nothing can be appended
	fuse   atomic.Int64 // appends until it is dead; 0 for no end
}

// setter is the account of a build whose rules somebody has set.
func setter(context.Context, *builds.Rules) (string, error) { return "setter", nil }

func mayAlways(context.Context, string, string, string) (bool, error) { return true, nil }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, log: streamtest.Open(t, ""), driver: &fake{}, tags: &fakeTags{set: map[string]digest.Digest{}}}
	w.tags.log = w.log
	ctx := context.Background()
	tables, err := sqlitestore.Dir(t.TempDir()).Open(ctx, &builds.Projection, projections.Options{})
	check(t, err)
	view := projections.NewRunner(projections.RunnerConfig{Store: tables, Source: w.log})
	kept, err := streams.OpenBuildLog(ctx, w.log)
	check(t, err)
	running, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { view.Run(running) })
	w.stop = func() {}
	t.Cleanup(func() {
		w.stop()
		stop()
		work.Wait()
		check(t, tables.Close())
	})
	w.Builder = newBuilder(Config{Events: mortal{w.log, &w.dead, &w.fuse}, Read: builds.Reader{DB: tables.DB()}, View: view, Images: w.tags, Readmes: w, URL: "https://hub.test", Secrets: &fakeSecrets{},
		Log: keptLog{kept}, Logger: quiet, Account: setter, MayPush: mayAlways})
	dir := t.TempDir()
	w.Local = &Local{Name: "local", Offer: worker.Offer{Platforms: []string{"linux/amd64"}, Places: 2}, Open: func(_ context.Context, hub worker.Hub) (*worker.Worker, error) {
		return &worker.Worker{Hub: hub, Driver: w.driver, Registry: "hub.test", Fetcher: w.driver, Uploads: fakeUploads{w.driver}, Dir: dir, Logger: quiet}, nil
	}}
	w.Source = func(_ context.Context, b *builds.Build) (fetch.Source, error) {
		return fetch.Source{Commit: b.Commit, Ref: b.Ref}, nil
	}
	w.record(rulesOf(rule("base"), rule("top", "base"), rule("other")), moved("refs/heads/main", "", "c1"))
	return w
}

// stopInOrder ends the local builder as a hub that stops does.
func (w *world) stopInOrder() { w.stop() }

// mortal is a log to which a process that died appends nothing.
type mortal struct {
	*streams.Log
	dead *atomic.Bool
	fuse *atomic.Int64
}

func (m mortal) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if m.dead.Load() {
		return 0, errors.New("the process is dead")
	}
	seq, err := m.Log.Append(ctx, e, expect)
	if m.fuse.Add(-1) == 0 {
		m.dead.Store(true)
	}
	return seq, err
}

// keptLog is the log of builds as the service knows it.
type keptLog struct{ *buildlog.Store }

func (l keptLog) Read(ctx context.Context, build string, after uint64, max int) ([]sealedlog.Chunk, error) {
	chunks, err := l.Store.Read(ctx, build, after, max)
	list := make([]sealedlog.Chunk, len(chunks))
	for k, c := range chunks {
		list[k] = sealedlog.Chunk(c)
	}
	return list, err
}

// record appends events and waits until they can be read.
func (w *world) record(list ...events.Payload) {
	w.t.Helper()
	for _, p := range list {
		seq, err := command.Append(context.Background(), w.log, tester, byRules(w.t, w.log, p), events.AnySeq)
		check(w.t, err)
		check(w.t, w.View.Wait(context.Background(), seq))
	}
}

// recordID is record of one event, and its id.
func (w *world) recordID(p events.Payload) string {
	w.t.Helper()
	w.record(p)
	last, err := w.log.Last(context.Background(), p.Subject())
	check(w.t, err)
	return last.ID()
}

// recordBy records an event with its cause.
func (w *world) recordBy(cause string, p events.Payload) {
	w.t.Helper()
	by := tester
	by.Cause = cause
	seq, err := command.Append(context.Background(), w.log, by, byRules(w.t, w.log, p), events.AnySeq)
	check(w.t, err)
	check(w.t, w.View.Wait(context.Background(), seq))
}

// queue queues a build of main by a rule that the push of the commit asks for.
func (w *world) queue(n int, commit string, r events.BuildRule) {
	w.t.Helper()
	w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(n), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: commit, Rule: r, Tags: r.Tags})
}

// start runs the local builder as a new process would.
func (w *world) start() {
	w.stop()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.stations = newStations()
	go func() { w.run(ctx); close(ended) }()
	w.stop = func() { cancel(); <-ended }
}

// await waits until a build is in a state.
func (w *world) await(n int, state string) *builds.Build {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, err := w.Read.Build(context.Background(), id(n))
		check(w.t, err)
		if b.State == state {
			return b
		}
		if time.Now().After(end) {
			w.t.Fatalf("the build stays %s, not %s: %+v", b.State, state, b)
		}
	}
}

// A fake driver runs builds that do what run says: by default they push.
type fake struct {
	fetch error             // of fetching
	files map[string]string // of the checkout

	mu   sync.Mutex
	run  func(ctx context.Context, s driver.Spec, emit func(driver.Event)) (driver.Result, error)
	made []driver.Spec
	left int // prepared and not destroyed
}

func (f *fake) runs(run func(ctx context.Context, s driver.Spec, emit func(driver.Event)) (driver.Result, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run = run
}

func (f *fake) specs() []driver.Spec {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]driver.Spec(nil), f.made...)
}

func (f *fake) Prepare(_ context.Context, s driver.Spec) (driver.Build, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made = append(f.made, s)
	f.left++
	return &fakeBuild{f, s, f.run}, nil
}

func (f *fake) Fetch(_ context.Context, _, dir string, _ fetch.Source, _ fetch.Limits) (fetch.Commit, error) {
	for name, text := range f.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fetch.Commit{}, err
		}
	}
	return fetch.Commit{}, f.fetch
}

// fakeUploads are directories with the files of the driver, for whoever has the token.
type fakeUploads struct{ *fake }

func (f fakeUploads) Fetch(ctx context.Context, token, repository string, _ digest.Digest, _ int64, dir string) error {
	if token != "by-token acme/app pull" || repository != "acme/app" {
		return fmt.Errorf("not with the token %q from %s", token, repository)
	}
	_, err := f.fake.Fetch(ctx, "", dir, fetch.Source{}, fetch.Limits{})
	return err
}

type fakeBuild struct {
	f    *fake
	spec driver.Spec
	run  func(ctx context.Context, s driver.Spec, emit func(driver.Event)) (driver.Result, error)
}

const madeDigest = "sha256:91568bab538a6ae60824abd47894025d7ef2797d3ac9cd33e012886ef3d7c1e2"

func (b *fakeBuild) Run(ctx context.Context, emit func(driver.Event)) (driver.Result, error) {
	if b.run != nil {
		return b.run(ctx, b.spec, emit)
	}
	now := time.Now()
	emit(driver.Event{Kind: driver.Began, Step: 1, Name: "[1/1] COPY . /", Time: now})
	emit(driver.Event{Kind: driver.Log, Step: 1, Stream: driver.Stdout, Data: []byte("hello\n")})
	emit(driver.Event{Kind: driver.Ended, Step: 1, Time: now.Add(time.Second)})
	if b.spec.Image == "" {
		return driver.Result{}, nil
	}
	return driver.Result{Digest: madeDigest}, nil
}

func (b *fakeBuild) Cancel() {}

func (b *fakeBuild) Destroy() error {
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	b.f.left--
	return nil
}

// Readme is of Readmes.
func (w *world) Readme(context.Context, string) (string, error) { return w.readme, nil }

// SetReadme is of Readmes.
func (w *world) SetReadme(_ context.Context, _ command.By, _ repository.ID, _, text string) error {
	w.readme = text
	return nil
}

// fakeTags are tags and what is attached to images, in memory.
type fakeTags struct {
	mu       sync.Mutex
	set      map[string]digest.Digest
	refuse   map[string]error
	made     string           // digest of the image that was built, "" for madeDigest
	attached []image.Artifact // to it
	gone     bool             // the image
	uploads  map[digest.Digest]int64
	bytes    map[digest.Digest][]byte // manifests of every repository
	log      process.Log              // of the tags of images that builds are made from, which are of acme
}

// Tagged finds what was set on acme/app, or the repository of that name by its length.
func (f *fakeTags) Tagged(ctx context.Context, repository, tag string) (digest.Digest, *events.Event, error) {
	f.mu.Lock()
	d, ok := f.set[tag]
	f.mu.Unlock()
	if ok && repository == "acme/app" {
		return d, nil, nil
	}
	e, err := f.log.Last(ctx, events.TagSubject(id(acme), id(len(repository)), tag))
	if err != nil || e == nil {
		return "", nil, cmp.Or(err, images.ErrNotFound)
	}
	p, err := events.Decode(e)
	if tagged, ok := p.(events.ImageTagged); ok {
		return tagged.Digest, e, nil
	}
	return "", nil, cmp.Or(err, images.ErrNotFound)
}

// Upload is of Images.
func (f *fakeTags) Upload(_ context.Context, repository string, d digest.Digest) (int64, error) {
	if size, ok := f.uploads[d]; ok && repository == "acme/app" {
		return size, nil
	}
	return 0, images.ErrNotFound
}

// ManifestBytes is of Images.
func (f *fakeTags) ManifestBytes(_ context.Context, _ string, d digest.Digest) ([]byte, error) {
	if text, ok := f.bytes[d]; ok {
		return text, nil
	}
	return nil, images.ErrNotFound
}

// tagged lets a tag of a repository of acme name the nth image; because is the id of the
// event that led to it.
func (w *world) tagged(repository, tag string, n int, because string) {
	w.t.Helper()
	by := tester
	by.Cause = because
	seq, err := command.Append(context.Background(), w.log, by, events.ImageTagged{Namespace: id(acme), Repository: id(len(repository)), Tag: tag, Digest: digestOf(n)}, events.AnySeq)
	check(w.t, err)
	check(w.t, w.View.Wait(context.Background(), seq))
}

// digestOf is that of the nth image.
func digestOf(n int) digest.Digest { return digest.FromString(fmt.Sprint(n)) }

func (f *fakeTags) Attach(_ context.Context, _ command.By, repository string, of digest.Digest, a image.Artifact) (digest.Digest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if repository != "acme/app" || of.String() != cmp.Or(f.made, madeDigest) {
		return "", errors.New("another image")
	}
	if f.gone {
		return "", images.ErrNotFound
	}
	if slices.Contains(slices.Collect(maps.Values(f.set)), of) {
		return "", errors.New("tags name the image already")
	}
	f.attached = append(f.attached, a)
	return digest.FromBytes(a.Content), nil
}

// fakeSecrets keep one secret in memory.
type fakeSecrets struct{ value []byte }

func (f *fakeSecrets) Get(context.Context, string) ([]byte, uint64, error) {
	if f.value == nil {
		return nil, 0, fs.ErrNotExist
	}
	return f.value, 1, nil
}

func (f *fakeSecrets) Update(_ context.Context, _ string, value []byte, _ uint64) (uint64, error) {
	f.value = value
	return 1, nil
}

func (f *fakeTags) Tag(_ context.Context, _ command.By, repository, tag string, d digest.Digest) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refuse[tag]; err != nil {
		return err
	}
	if repository != "acme/app" {
		return errors.New("another repository")
	}
	f.set[tag] = d
	return nil
}
