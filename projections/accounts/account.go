package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hubledger/projections"
)

// Kinds of accounts. The first two are those of namespaces.
const (
	KindUser         = "user"
	KindOrganization = "organization"
	KindRobot        = "robot"
)

// An Account is a user, an organization or a robot account of one.
type Account struct {
	ID          string // UUIDv7; of a user or organization also that of the namespace
	Name        string // login name, such as alice or acme+ci
	Kind        string
	Namespace   string // id of its own namespace, or of the robot account's organization
	Admin       bool   // administrator of the hub
	Disabled    bool
	Erased      bool
	PasswordSeq uint64 // sequence of the latest user.password_changed, 0 for none
	// SecondFactor is the id of what is asked for beside the password, "" for nothing, and
	// SecondFactorSeq the sequence of the latest user.second_factor_changed, 0 for none.
	SecondFactor    string
	SecondFactorSeq uint64
	HasEmail        bool
	Created         time.Time
	Description     string // of a robot account
}

// ProofSeq is the sequence of the latest event that changed what proves who somebody is: what
// was proved by a password before it counts no more.
func (a *Account) ProofSeq() uint64 { return max(a.PasswordSeq, a.SecondFactorSeq) }

// The user that hub.initialized names is an administrator until an event about
// their standing says otherwise.
const accountColumns = `SELECT n.namespace, n.name, n.kind, n.time,
	CASE WHEN n.kind <> 'user' THEN 0 ELSE COALESCE(s.admin, CASE WHEN h.admin IS NULL THEN 0 ELSE 1 END) END,
	COALESCE(s.disabled, 0), CASE WHEN e.account IS NULL THEN 0 ELSE 1 END, COALESCE(p.seq, 0), f.factor, COALESCE(f.seq, 0), COALESCE(m.present, 0)
	FROM namespaces n LEFT JOIN standings s ON s.account = n.namespace LEFT JOIN erasures e ON e.account = n.namespace
	LEFT JOIN passwords p ON p.account = n.namespace LEFT JOIN emails m ON m.account = n.namespace
	LEFT JOIN second_factors f ON f.account = n.namespace LEFT JOIN hub h ON h.one = 0 AND h.admin = n.namespace `

func scanAccount(row projections.Row) (Account, error) {
	var a Account
	var id, factor []byte
	var at int64
	err := row.Scan(&id, &a.Name, &a.Kind, &at, &a.Admin, &a.Disabled, &a.Erased, &a.PasswordSeq, &factor, &a.SecondFactorSeq, &a.HasEmail)
	a.ID, a.Namespace, a.Created = projections.IDOf(id), projections.IDOf(id), timeOf(at)
	if len(factor) > 0 {
		a.SecondFactor = projections.IDOf(factor)
	}
	if a.Erased {
		a.Admin, a.HasEmail, a.SecondFactor = false, false, ""
	}
	return a, err
}

const robotColumns = `SELECT r.robot, n.namespace, n.name, r.name, r.description, r.time
	FROM robots r JOIN namespaces n ON n.namespace = r.organization AND n.kind = 'organization' `

func scanRobot(row projections.Row) (Account, error) {
	a := Account{Kind: KindRobot}
	var id, organization []byte
	var prefix string
	var at int64
	err := row.Scan(&id, &organization, &prefix, &a.Name, &a.Description, &at)
	a.ID, a.Namespace, a.Created, a.Name = projections.IDOf(id), projections.IDOf(organization), timeOf(at), prefix+"+"+a.Name
	return a, err
}

// Account finds the user, organization or robot account of that login name,
// also one that is disabled or erased; ErrNotFound if there is none.
func (r Reader) Account(ctx context.Context, name string) (*Account, error) {
	if organization, robot, ok := strings.Cut(projections.Stored(name), "+"); ok {
		a, err := scanRobot(r.DB.QueryRowContext(ctx, robotColumns+`WHERE n.name = $1 AND r.name = $2 AND r.deleted = 0`, organization, robot))
		return found(a, err)
	}
	a, err := scanAccount(r.DB.QueryRowContext(ctx, accountColumns+`WHERE n.name = $1 AND n.kind <> ''`, projections.Stored(name)))
	return found(a, err)
}

// AccountByID is Account by id.
func (r Reader) AccountByID(ctx context.Context, id string) (*Account, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	a, err := scanAccount(r.DB.QueryRowContext(ctx, accountColumns+`WHERE n.namespace = $1 AND n.kind <> ''`, raw))
	if errors.Is(notFound(err, ""), ErrNotFound) {
		a, err = scanRobot(r.DB.QueryRowContext(ctx, robotColumns+`WHERE r.robot = $1 AND r.deleted = 0`, raw))
	}
	return found(a, err)
}

// found keeps the name out of the error: people type passwords into the wrong field.
func found(a Account, err error) (*Account, error) {
	if err != nil {
		return nil, notFound(err, "account")
	}
	return &a, nil
}

// Accounts lists at most n accounts of a kind by name, after last.
func (r Reader) Accounts(ctx context.Context, kind, last string, n int) ([]Account, error) {
	if kind == KindRobot {
		organization, robot, _ := strings.Cut(last, "+")
		return projections.ListOf(ctx, r.DB, scanRobot, robotColumns+`WHERE r.deleted = 0 AND (n.name, r.name) > ($1, $2)
			ORDER BY n.name, r.name LIMIT $3`, organization, robot, n)
	}
	return projections.ListOf(ctx, r.DB, scanAccount, accountColumns+`WHERE n.kind = $1 AND n.name > $2 ORDER BY n.name LIMIT $3`, kind, last, n)
}

// Robots lists the robot accounts of an organization by name.
func (r Reader) Robots(ctx context.Context, organization string) ([]Account, error) {
	raw, err := key(organization)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanRobot, robotColumns+`WHERE r.organization = $1 AND r.deleted = 0 ORDER BY r.name`, raw)
}

// FirstAdmin is the id of the user that hub.initialized names, who owns the
// namespaces without a kind. ErrNotFound before that event.
func (r Reader) FirstAdmin(ctx context.Context) (string, error) {
	var id []byte
	err := r.DB.QueryRowContext(ctx, `SELECT admin FROM hub WHERE one = 0`).Scan(&id)
	return projections.IDOf(id), notFound(err, "first administrator")
}

// twoAdmins are the ids of the hub's administrators who are neither disabled nor erased, at
// most two of them: those of the oldest accounts.
func (r Reader) twoAdmins(ctx context.Context) ([]string, error) {
	return projections.ListOf(ctx, r.DB, scanID, `SELECT s.account AS account FROM standings s WHERE s.admin = 1 AND s.disabled = 0
			AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = s.account)
		UNION ALL SELECT h.admin FROM hub h WHERE h.one = 0
			AND NOT EXISTS (SELECT 1 FROM standings s WHERE s.account = h.admin)
			AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = h.admin)
		ORDER BY account LIMIT 2`)
}

// ActiveAdmin is the id of an administrator of the hub who is neither disabled nor erased:
// that of the oldest account. ErrNotFound where there is none.
func (r Reader) ActiveAdmin(ctx context.Context) (string, error) {
	list, err := r.twoAdmins(ctx)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("administrator: %w", ErrNotFound)
	}
	if err != nil {
		return "", err
	}
	return list[0], nil
}

// OtherAdmin says whether the hub has an administrator who is neither disabled
// nor that user.
func (r Reader) OtherAdmin(ctx context.Context, user string) (bool, error) {
	list, err := r.twoAdmins(ctx)
	return slices.ContainsFunc(list, func(id string) bool { return id != user }), err
}
