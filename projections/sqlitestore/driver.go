package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"modernc.org/sqlite"

	"hubledger/projections"
)

// A connector opens connections to a file, all with the same settings.
type connector struct{ dsn string }

func connectTo(path, mode string, pragmas ...string) connector {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + mode
	for _, p := range pragmas {
		dsn += "&_pragma=" + url.QueryEscape(p)
	}
	return connector{dsn}
}

// Connect and Driver make it a driver.Connector: no driver is looked up by name.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	return collatingDriver.Open(c.dsn)
}
func (c connector) Driver() driver.Driver { return collatingDriver }

// collatingDriver knows PostgreSQL's name for the order of bytes, so that a
// query with COLLATE "C" runs on both stores.
var collatingDriver = func() *sqlite.Driver {
	d := new(sqlite.Driver)
	d.MustRegisterCollationUtf8("C", strings.Compare)
	return d
}()

// driverConn is what this package uses of the driver's connection.
type driverConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
}

// dial opens one connection, without database/sql.
func dial(path, mode string, pragmas ...string) (driverConn, error) {
	conn, err := connectTo(path, mode, pragmas...).Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return conn.(driverConn), nil
}

// appendArgs gives the driver a row's cells. A nil slice would be NULL to it.
func appendArgs(args []driver.NamedValue, row []projections.Value) []driver.NamedValue {
	for i := range row {
		var v driver.Value
		switch c := &row[i]; c.Kind() {
		case projections.Int:
			v = c.Int()
		case projections.Text:
			v = string(c.Raw())
		default:
			if v = c.Raw(); c.Raw() == nil {
				v = []byte{}
			}
		}
		args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: v})
	}
	return args
}

func named(values ...driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}

func execAll(conn driver.ExecerContext, statements ...string) error {
	for _, s := range statements {
		if _, err := conn.ExecContext(context.Background(), s, nil); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func queryInt(conn driver.QueryerContext, query string, args ...driver.Value) (int64, error) {
	rows, err := conn.QueryContext(context.Background(), query, named(args...))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	dest := make([]driver.Value, 1)
	if err := rows.Next(dest); err != nil {
		if err == io.EOF {
			err = errors.New("no row")
		}
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	n, _ := dest[0].(int64)
	return n, nil
}
