package accounts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// The queries of every request find their rows by a key, however many there are.
// Only lists of what one account or organization has are sorted.
func TestQueriesUseKeys(t *testing.T) {
	ctx := t.Context()
	store, err := sqlitestore.Dir(t.TempDir()).Open(ctx, &accounts.Projection, projections.Options{})
	check(t, err)
	defer store.Close()
	list := story()
	check(t, projections.CatchUp(ctx, store, history(list...), uint64(len(list)), nil))

	for name, c := range map[string]struct {
		ask    func(accounts.Reader) error
		sorted bool
	}{
		"Account":       {func(r accounts.Reader) error { return second(r.Account(ctx, "alice")) }, false},
		"Account robot": {func(r accounts.Reader) error { return second(r.Account(ctx, "acme+ci")) }, false},
		"AccountByID":   {func(r accounts.Reader) error { return second(r.AccountByID(ctx, id(ci))) }, false},
		"Accounts":      {func(r accounts.Reader) error { return second(r.Accounts(ctx, "user", "a", 100)) }, false},
		"ActiveAdmin":   {func(r accounts.Reader) error { return second(r.ActiveAdmin(ctx)) }, false},
		"FirstAdmin":    {func(r accounts.Reader) error { return second(r.FirstAdmin(ctx)) }, false},
		"OtherAdmin":    {func(r accounts.Reader) error { return second(r.OtherAdmin(ctx, id(alice))) }, false},
		"Namespace":     {func(r accounts.Reader) error { return second(r.Namespace(ctx, "acme")) }, false},
		"NamespaceByID": {func(r accounts.Reader) error { return second(r.NamespaceByID(ctx, id(acme))) }, false},
		"Namespaces":    {func(r accounts.Reader) error { return second(r.Namespaces(ctx, "a", 100)) }, false},
		"Kindless":      {func(r accounts.Reader) error { return second(r.Kindless(ctx)) }, false},
		"TokenByHash":   {func(r accounts.Reader) error { return second(r.TokenByHash(ctx, []byte("x"))) }, false},
		"Token":         {func(r accounts.Reader) error { return second(r.Token(ctx, id(login))) }, false},
		"Tokens":        {func(r accounts.Reader) error { return second(r.Tokens(ctx, accounts.TokenList{Owner: id(bob), N: 10})) }, true},
		"Tokens that ended": {func(r accounts.Reader) error {
			return second(r.Tokens(ctx, accounts.TokenList{Owner: id(bob), Ended: true, Kind: "access", After: &accounts.Token{ID: id(bob), Issued: time.Now()}, N: 10}))
		}, true},
		"LiveTokens":        {func(r accounts.Reader) error { return second(r.LiveTokens(ctx, id(bob))) }, true},
		"IssuedByTokens":    {func(r accounts.Reader) error { return second(r.IssuedByTokens(ctx, id(bob))) }, true},
		"Repository":        {func(r accounts.Reader) error { return second(r.Repository(ctx, "acme/app")) }, false},
		"Resolve":           {func(r accounts.Reader) error { return second(r.Resolve(ctx, "acme", "acme/app")) }, false},
		"Roles":             {func(r accounts.Reader) error { return second(r.Roles(ctx, id(bob), id(acme), id(app))) }, false},
		"Members":           {func(r accounts.Reader) error { return second(r.Members(ctx, id(acme))) }, true},
		"Memberships":       {func(r accounts.Reader) error { return second(r.Memberships(ctx, id(bob))) }, true},
		"Membership":        {func(r accounts.Reader) error { return second(r.Membership(ctx, id(acme), id(bob))) }, false},
		"Organizations":     {func(r accounts.Reader) error { return second(r.Organizations(ctx, id(bob), "a", 100)) }, false},
		"OrganizationsOf":   {func(r accounts.Reader) error { return second(r.OrganizationsOf(ctx, id(bob), "a", 100)) }, true},
		"Organization":      {func(r accounts.Reader) error { return second(r.Organization(ctx, id(acme), id(bob))) }, false},
		"OrganizationsMade": {func(r accounts.Reader) error { return second(r.OrganizationsMade(ctx, "tester")) }, false},
		"NamespacesOf":      {func(r accounts.Reader) error { return second(r.NamespacesOf(ctx, id(bob), "a", 100)) }, true},
		"Invitations":       {func(r accounts.Reader) error { return second(r.Invitations(ctx, id(acme), noon)) }, true},
		"InvitationsOf":     {func(r accounts.Reader) error { return second(r.InvitationsOf(ctx, id(bob), noon)) }, true},
		"Teams":             {func(r accounts.Reader) error { return second(r.Teams(ctx, id(acme))) }, false},
		"Team":              {func(r accounts.Reader) error { return second(r.Team(ctx, id(acme), "devs")) }, false},
		"Robots":            {func(r accounts.Reader) error { return second(r.Robots(ctx, id(acme))) }, false},
		"Grants":            {func(r accounts.Reader) error { return second(r.Grants(ctx, id(acme), id(app))) }, true},
		"GrantsOf":          {func(r accounts.Reader) error { return second(r.GrantsOf(ctx, id(bob))) }, true},
		"GrantsTo":          {func(r accounts.Reader) error { return second(r.GrantsTo(ctx, id(bob))) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			db := &projectiontest.Planned{DB: store.DB()}
			if err := c.ask(accounts.Reader{DB: db}); err != nil && !errors.Is(err, accounts.ErrNotFound) {
				t.Fatal(err)
			}
			check(t, db.Err)
			if len(db.Plans) == 0 {
				t.Fatal("no query was recorded")
			}
			for _, step := range db.Plans {
				// A planner without statistics likes an index on few kinds as much as one on many ids.
				if strings.HasSuffix(step, "(kind=?)") && name != "Kindless" && !strings.HasPrefix(step, "SEARCH k ") {
					t.Errorf("%q looks through all namespaces of a kind", db.Plans)
				}
				if strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" || !c.sorted && strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("%s: %q", step, db.Plans)
				}
			}
		})
	}
	// The check itself must be able to fail.
	db := &projectiontest.Planned{DB: store.DB()}
	if rows, err := db.QueryContext(ctx, "SELECT * FROM tokens WHERE name = $1", "x"); err != nil || rows.Close() != nil || !strings.HasPrefix(db.Plans[0], "SCAN") {
		t.Errorf("a scan is planned as %q, %v", db.Plans, err)
	}
}

func second[T any](_ T, err error) error { return err }
