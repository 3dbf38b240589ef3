package projections

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"

	"github.com/jackc/pgx/v5"
)

// A postgresLoader fills a schema under a passing name. Each table is made,
// filled and indexed in one transaction.
type postgresLoader struct {
	m      *model
	place  postgresPlace
	conn   *pgx.Conn // holds the lock on the passing name; nil after finish
	schema string
	target string
}

func (d postgresPlace) load(ctx context.Context, m *model, b Build) (_ loader, err error) {
	l := &postgresLoader{m: m, place: d, schema: postgresSchema(m.Projection, "building"), target: postgresSchema(m.Projection, b)}
	if l.conn, err = pgx.Connect(ctx, d.url); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			closeNow(l.conn)
		}
	}()
	if err := tryLock(ctx, l.conn, l.schema); err != nil {
		return nil, err
	}
	for _, s := range []string{"DROP SCHEMA IF EXISTS %s CASCADE", "CREATE SCHEMA %s"} {
		if _, err := l.conn.Exec(ctx, fmt.Sprintf(s, quote(l.schema))); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *postgresLoader) workers() int { return max(2, runtime.GOMAXPROCS(0)) }

func (l *postgresLoader) table(ctx context.Context, table int, rows *rowStream) error {
	t := &l.m.tables[table]
	conn, err := pgx.Connect(ctx, l.place.url)
	if err != nil {
		return err
	}
	defer closeNow(conn)
	exec := func(statements ...string) error {
		for _, s := range statements {
			if _, err := conn.Exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, postgresError(err))
			}
		}
		return nil
	}
	if err := exec("SET search_path = "+quote(l.schema), "SET maintenance_work_mem = '256MB'", "SET synchronous_commit = off",
		"BEGIN", postgresCreate(t)); err != nil {
		return err
	}
	// FREEZE: the table is of this transaction, so nobody needs row versions
	// and no vacuum has to write it again.
	copyIn := fmt.Sprintf("COPY %s FROM STDIN (FORMAT binary, FREEZE)", quote(t.Name))
	if _, err := conn.PgConn().CopyFrom(ctx, &copyReader{ctx: ctx, rows: rows}, copyIn); err != nil {
		return postgresError(err)
	}
	if err := exec(postgresKey(t)); err != nil {
		return err
	}
	return exec(append(createIndexes(t), "COMMIT", "ANALYZE "+quote(t.Name))...)
}

func (l *postgresLoader) finish(ctx context.Context, h header, parked []Parked) error {
	if err := l.searches(ctx); err != nil {
		return err
	}
	if err := tryLock(ctx, l.conn, l.target); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		for _, s := range append([]string{"SET LOCAL search_path = " + quote(l.schema)}, postgresStoreTables...) {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		if err := postgresHeader(ctx, tx, h); err != nil {
			return err
		}
		if len(parked) > 0 {
			rows := make([][]Value, len(parked))
			for i, p := range parked {
				rows[i] = p.row()
			}
			if _, err := tx.Exec(ctx, postgresInsertParked, columnArrays(rows)...); err != nil {
				return err
			}
		}
		return renameSchemas(ctx, tx, "", l.schema, l.target)
	})
	if err == nil {
		closeNow(l.conn)
		l.conn = nil
	}
	return err
}

// searches fills what is selected from the tables, and vacuums it, so that
// answers can come from an index alone.
func (l *postgresLoader) searches(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL search_path = "+quote(l.schema)+"; SET LOCAL maintenance_work_mem = '256MB'"); err != nil {
			return err
		}
		return postgresSearches(ctx, tx, l.m)
	})
	for _, s := range l.m.Searches {
		if err == nil {
			_, err = l.conn.Exec(ctx, fmt.Sprintf("VACUUM (ANALYZE) %s.%s", quote(l.schema), quote(s.Table.Name)))
		}
	}
	return err
}

func (l *postgresLoader) abort() {
	if l.conn == nil {
		return
	}
	ctx := context.Background()
	l.conn.Exec(ctx, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", quote(l.schema)))
	closeNow(l.conn)
	l.conn = nil
}

// copyReader writes rows in the binary format of COPY.
type copyReader struct {
	ctx   context.Context
	rows  *rowStream
	buf   []byte
	rest  []byte
	state uint8 // 0 header, 1 rows, 2 end
}

func (r *copyReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.state == 2 {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *copyReader) fill() error {
	b := r.buf[:0]
	if r.state == 0 {
		b = append(b, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
		r.state = 1
	}
	rows, err := r.rows.next(r.ctx)
	if err != nil {
		return err
	}
	if rows == nil {
		b = binary.BigEndian.AppendUint16(b, 0xffff)
		r.state = 2
	} else {
		for i := range rows.rows() {
			b = appendCopy(b, rows.row(i))
		}
	}
	r.buf, r.rest = b, b
	return nil
}

func appendCopy(b []byte, row []Value) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(row)))
	for i := range row {
		if v := &row[i]; v.kind == Int {
			b = binary.BigEndian.AppendUint32(b, 8)
			b = binary.BigEndian.AppendUint64(b, uint64(v.n))
		} else {
			b = binary.BigEndian.AppendUint32(b, uint32(len(v.b)))
			b = append(b, v.b...)
		}
	}
	return b
}
