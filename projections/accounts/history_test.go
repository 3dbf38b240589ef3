package accounts_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// id is a UUIDv7 with that number.
func id(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

// noon is when the histories of these tests begin; each event is a minute
// later than the one before.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// event is a payload as the log would hold it.
func event(n int, p events.Payload) events.Event {
	e, err := events.New(p, events.Meta{ID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)).String(), Source: "/test", Actor: "tester"})
	if err != nil {
		panic(err)
	}
	e.Set(events.AttrTime, minute(n).Format(events.TimeLayout))
	return e
}

// history makes a log in memory of events, the first at minute 1.
func history(list ...events.Payload) *projectiontest.Log {
	log := &projectiontest.Log{}
	for k, p := range list {
		log.Append(event(k+1, p))
	}
	return log
}

// onPlaces runs a test with either store.
func onEveryStorage(t *testing.T, test func(t *testing.T, storage projections.Storage)) {
	projectiontest.OnEveryStorage(t, &postgres, test)
}

// onEach reads what a history comes to, on either store.
func onEach(t *testing.T, list []events.Payload, test func(t *testing.T, r accounts.Reader)) {
	log := history(list...)
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		store, err := storage.Open(t.Context(), &accounts.Projection, projections.Options{})
		check(t, err)
		defer store.Close()
		check(t, projections.CatchUp(t.Context(), store, log, uint64(len(list)), nil))
		test(t, accounts.Reader{DB: store.DB()})
	})
}

// randomHistory is n events about few accounts and names, so that they meet,
// each aggregate's in an order that its commands could have decided.
func randomHistory(rng *rand.Rand, n int) []events.Payload {
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	some := func(kind int) string { return id(kind*100 + rng.IntN(5)) }
	const user, org, team, robot, repo, token = 1, 2, 3, 4, 5, 6
	tokens := 0
	list := []events.Payload{events.HubInitialized{Admin: some(user)}}
	for len(list) < n {
		k := rng.IntN(5)
		number := fmt.Sprint(k)
		ns, name := id(user*100+k), "u"+number
		if rng.IntN(2) == 0 {
			ns, name = id(org*100+k), "o"+number
		}
		full := name + "/app" + fmt.Sprint(rng.IntN(3))
		var p events.Payload
		switch rng.IntN(20) {
		case 0:
			p = events.NamespaceCreated{Namespace: ns, Name: name, Kind: pick("", events.KindUser, events.KindOrganization)}
		case 1:
			p = events.NamespaceAdopted{Namespace: ns, Name: name, Kind: pick(events.KindUser, events.KindOrganization)}
		case 2:
			p = events.QuotaSet{Namespace: ns, Bytes: rng.Int64N(3), Images: rng.Int64N(3)}
		case 3:
			p = events.UserStandingChanged{User: some(user), Admin: rng.IntN(2) == 0, Disabled: rng.IntN(3) == 0}
		case 4:
			p = []events.Payload{events.UserPasswordChanged{User: some(user)}, events.UserSecondFactorChanged{User: some(user), Factor: pick("", some(token))}}[rng.IntN(2)]
		case 5:
			p = events.UserEmailChanged{User: some(user), Set: rng.IntN(2) == 0}
		case 6:
			p = events.UserErased{User: some(user)}
		case 7, 8:
			o := some(org)
			p = events.MembershipGranted{Organization: o, Group: pick(o, some(team)), User: some(user), Role: pick(events.RoleOwner, events.RoleMember)}
		case 9:
			o := some(org)
			p = []events.Payload{events.MembershipRevoked{Organization: o, Group: pick(o, some(team)), User: some(user)},
				events.MembershipInvited{Organization: o, User: some(user), Role: pick(events.RoleOwner, events.RoleMember), Expires: minute(rng.IntN(1000))},
				events.MembershipUninvited{Organization: o, User: some(user)}}[rng.IntN(3)]
		case 10:
			p = events.TeamCreated{Organization: id(org*100 + k), Team: id(team*100 + k), Name: "t" + number, Description: pick("", "nul\x00inside", "ünï")}
		case 11:
			p = events.TeamDeleted{Organization: id(org*100 + k), Team: id(team*100 + k), Name: "t" + number}
		case 12:
			p = events.RobotCreated{Organization: id(org*100 + k), Robot: id(robot*100 + k), Name: "r" + number}
		case 13:
			p = events.RobotDeleted{Organization: id(org*100 + k), Robot: id(robot*100 + k), Name: "r" + number}
		case 14, 15:
			p = events.GrantGiven{Namespace: ns, Repository: pick("", some(repo)), Grantee: pick(some(user), some(team), some(robot)),
				GranteeKind: pick("user", "team", "robot"), Role: pick("read", "write", "admin")}
		case 16:
			p = events.GrantWithdrawn{Namespace: ns, Repository: pick("", some(repo)), Grantee: pick(some(user), some(team)), GranteeKind: "user"}
		case 17:
			tokens++
			issued := events.TokenIssued{Namespace: id(user * 100), Token: id(token*100 + tokens), Kind: pick("access", "login"), Owner: pick(some(user), some(robot)),
				OwnerKind: "user", Name: pick("laptop", "ci\x00"), Hash: fmt.Appendf(nil, "%032d", tokens), Level: "write"}
			if rng.IntN(2) == 0 {
				at := minute(rng.IntN(1000))
				issued.Expires, issued.Repositories = &at, []string{"u1/app0", "o1/app1"}
			}
			if rng.IntN(3) == 0 {
				issued.Issuers = []string{id(token*100 + 1 + rng.IntN(20)), id(token * 100)}
			}
			p = issued
		case 18:
			p = events.TokenRevoked{Namespace: id(user * 100), Token: id(token*100 + 1 + rng.IntN(20))}
		default:
			p = []events.Payload{
				events.RepositoryCreated{Namespace: ns, Repository: some(repo), Name: full, Visibility: pick("", "public", "private")},
				events.RepositoryDeleted{Namespace: ns, Repository: some(repo), Name: full},
				events.RepositoryRestored{Namespace: ns, Repository: some(repo), Name: full},
				events.RepositoryVisibilityChanged{Namespace: ns, Repository: some(repo), Name: full, Visibility: pick("public", "private")},
			}[rng.IntN(4)]
		}
		list = append(list, p)
	}
	return list
}
