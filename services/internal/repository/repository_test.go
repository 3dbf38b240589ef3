package repository_test

import (
	"errors"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/streams/streamtest"
)

var by = command.By{Source: "/test", Actor: "tester"}

func parse(t testing.TB, s string) repository.Name {
	t.Helper()
	name, err := repository.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLifeOfARepository(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	name := parse(t, "alice/app")
	id, err := repository.Ensure(ctx, log, by, name, events.Private)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := repository.Ensure(ctx, log, by, name, events.Private); err != nil || again != id {
		t.Fatalf("ensured twice: %v, %v, %v", id, again, err)
	}
	other, err := repository.Ensure(ctx, log, by, parse(t, "alice/other"), events.Private)
	if err != nil || other.Namespace != id.Namespace || other.Repository == id.Repository {
		t.Fatalf("another of the namespace: %v, %v", other, err)
	}
	step := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Fatalf("%s: %v, want %v", what, err, want)
		}
	}
	do := func(seq uint64, err error) error {
		if err == nil && seq == 0 {
			return errors.New("no sequence")
		}
		return err
	}
	step("restore what lives", do(repository.Restore(ctx, log, by, id, name.Full)), repository.ErrNotDeleted)
	step("restore what never was", do(repository.Restore(ctx, log, by, id, "alice/never")), repository.ErrNotDeleted)
	step("delete by another's id", do(repository.Delete(ctx, log, by, other, name.Full)), repository.ErrUnknown)
	step("policy", do(repository.ChangePolicy(ctx, log, by, id, name.Full, events.RepositoryPolicy{SparseIndexes: true})), nil)
	step("delete", do(repository.Delete(ctx, log, by, id, name.Full)), nil)
	step("delete again", do(repository.Delete(ctx, log, by, id, name.Full)), repository.ErrUnknown)
	step("policy of what is deleted", do(repository.ChangePolicy(ctx, log, by, id, name.Full, events.RepositoryPolicy{})), repository.ErrUnknown)
	step("restore", do(repository.Restore(ctx, log, by, id, name.Full)), nil)
	step("delete once more", do(repository.Delete(ctx, log, by, id, name.Full)), nil)
	newer, err := repository.Ensure(ctx, log, by, name, events.Private)
	if err != nil || newer.Repository == id.Repository || newer.Namespace != id.Namespace {
		t.Fatalf("a name that is free again: %v, %v", newer, err)
	}
	step("restore over the newer one", do(repository.Restore(ctx, log, by, id, name.Full)), repository.ErrTaken)
	step("delete the newer one", do(repository.Delete(ctx, log, by, newer, name.Full)), nil)
	step("restore the older one", do(repository.Restore(ctx, log, by, id, name.Full)), nil)
}

// However many ask for a new name at once, all get the one repository.
func TestEnsureAtOnce(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	name := parse(t, "alice/app")
	ids := make([]repository.ID, 8)
	errs := make([]error, len(ids))
	var work sync.WaitGroup
	for k := range ids {
		work.Go(func() { ids[k], errs[k] = repository.Ensure(ctx, log, by, name, events.Private) })
	}
	work.Wait()
	for k := range ids {
		if errs[k] != nil || ids[k] != ids[0] {
			t.Errorf("%d got %v, %v, the first %v", k, ids[k], errs[k], ids[0])
		}
	}
	if last, err := log.LastSeq(ctx); err != nil || last != 2 {
		t.Errorf("%d events, %v; one namespace and one repository are two", last, err)
	}
}
