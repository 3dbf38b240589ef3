package projections

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"modernc.org/sqlite"
)

// A sqliteConnector names a file with the settings of every connection to it.
type sqliteConnector struct{ dsn string }

func sqliteDSN(path, mode string, pragmas ...string) sqliteConnector {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + mode
	for _, p := range pragmas {
		dsn += "&_pragma=" + url.QueryEscape(p)
	}
	return sqliteConnector{dsn}
}

// Connect and Driver make it a driver.Connector: no driver is looked up by name.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	return sqliteDriver.Open(c.dsn)
}
func (c sqliteConnector) Driver() driver.Driver { return sqliteDriver }

// sqliteDriver knows PostgreSQL's name for the order of bytes, so that a query
// with COLLATE "C" runs on both stores.
var sqliteDriver = func() *sqlite.Driver {
	d := new(sqlite.Driver)
	d.MustRegisterCollationUtf8("C", strings.Compare)
	return d
}()

// appendArgs gives the driver a row's cells. A nil slice would be NULL to it.
func appendArgs(args []driver.NamedValue, row []Value) []driver.NamedValue {
	for i := range row {
		var v driver.Value
		switch c := &row[i]; c.kind {
		case Int:
			v = c.n
		case Text:
			v = string(c.b)
		default:
			if v = c.b; c.b == nil {
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
