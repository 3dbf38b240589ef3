package accounts_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/projectiontest"
)

// Row by row, in batches with interruptions and in bulk the log comes to the
// same rows, on either store.
func TestConverges(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		rng := projectiontest.Seed(t)
		projectiontest.Converge(t, &accounts.Projection, history(randomHistory(rng, 400)...), rng, storage)
	})
}

// What events of different aggregates write commutes: in any order that keeps
// each aggregate's own the rows are the same.
func TestCommutes(t *testing.T) {
	rng := projectiontest.Seed(t)
	var list []events.Event
	for k, p := range randomHistory(rng, 600) {
		e := event(k+1, p)
		e.Seq = uint64(k + 1)
		list = append(list, e)
	}
	want := fold(t, list)
	if len(want) < 50 {
		t.Fatalf("%d rows test nothing", len(want))
	}
	for range 5 {
		if got := fold(t, shuffled(rng, list)); !reflect.DeepEqual(got, want) {
			t.Fatal("another order comes to other rows")
		}
	}
}

// shuffled takes the next event of a random aggregate until none is left.
func shuffled(rng *rand.Rand, list []events.Event) []events.Event {
	order := rng.Perm(len(list))
	next := map[string][]events.Event{}
	for _, e := range list {
		next[e.Subject] = append(next[e.Subject], e)
	}
	var out []events.Event
	for _, k := range order {
		of := next[list[k].Subject]
		out, next[list[k].Subject] = append(out, of[0]), of[1:]
	}
	return out
}

// fold applies events to rows in memory as a store would.
func fold(t *testing.T, list []events.Event) map[string]string {
	t.Helper()
	rows, seqs := map[string]string{}, map[string]int64{}
	for k := range list {
		var ops projections.Ops
		check(t, accounts.Projection.Apply(&list[k], &ops))
		ops.Each(func(table *projections.Table, row []projections.Value, deleted bool) {
			key := fmt.Sprint(table.Name, row[:table.Key])
			if deleted {
				delete(rows, key)
				return
			}
			switch _, there := rows[key]; table.Merge {
			case projections.Insert:
				if !there {
					rows[key] = fmt.Sprint(row)
				}
			case projections.Put:
				for c := range table.Columns {
					if seq := row[c].Int(); table.Columns[c].Name == "seq" && (!there || seq > seqs[key]) {
						rows[key], seqs[key] = fmt.Sprint(row), seq
					}
				}
			case projections.Max:
				for c := table.Key; c < len(row); c++ {
					seqs[key] = max(seqs[key], row[c].Int())
				}
				rows[key] = fmt.Sprint(row[:table.Key], seqs[key])
			default:
				t.Fatalf("%s: no such merge is expected", table.Name)
			}
		})
	}
	return rows
}

// An event with an id that is none is refused, and so parked.
func TestApplyRefusesBadIDs(t *testing.T) {
	for _, p := range []events.Payload{
		events.HubInitialized{Admin: "x"}, events.NamespaceCreated{Name: "alice", Namespace: "x"},
		events.GrantGiven{Namespace: id(1), Repository: "x", Grantee: id(2)}, events.TokenRevoked{Namespace: id(1)},
	} {
		e := event(1, p)
		if err := accounts.Projection.Apply(&e, &projections.Ops{}); err == nil {
			t.Errorf("%s with a bad id was applied", p.EventType())
		}
	}
}

// Every query of compare has answers, with a key of its own for each.
func TestQueriesAnswer(t *testing.T) {
	onEach(t, append(story(), machinesStory()...), func(t *testing.T, r accounts.Reader) {
		for _, q := range accounts.Projection.Queries {
			answers := map[string]string{}
			check(t, q.Run(t.Context(), r.DB.(*sql.DB), func(key, answer string) error {
				if _, twice := answers[key]; twice || answer == "" {
					t.Errorf("%s: %q is %q", q.Name, key, answer)
				}
				answers[key] = answer
				return nil
			}))
			if len(answers) == 0 {
				t.Errorf("%s has no answer", q.Name)
			}
		}
	})
}
