package trail

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hubledger/projections"
)

// Reader queries the read model. The texts of its statements differ, so DB must not
// keep them.
type Reader struct{ DB projections.DB }

// An Entry says of an event what decides who may read it.
type Entry struct {
	Seq       uint64
	Time      time.Time
	Namespace string // id; "" for an event of the system
	Audiences []Audience
}

// A Range is the sequences behind After and before Before; Before 0 is no end.
type Range struct{ After, Before uint64 }

func (r Range) where(column string) string {
	where := fmt.Sprintf("%s > %d", column, r.After)
	if r.Before > 0 {
		where += fmt.Sprintf(" AND %s < %d", column, r.Before)
	}
	return where
}

// maxLists bounds the lists of one statement: SQLite takes 500 parts of a UNION.
const maxLists = 400

// Seqs returns at most n sequences that are in any of the lists, in a range, the newest
// first or the oldest first; each one once. At most 400 lists.
func (r Reader) Seqs(ctx context.Context, lists []List, in Range, newestFirst bool, n int) ([]uint64, error) {
	if len(lists) > maxLists {
		return nil, fmt.Errorf("%d lists of events at once, %d are possible", len(lists), maxLists)
	}
	direction := "ASC"
	if newestFirst {
		direction = "DESC"
	}
	var parts []string
	var args []any
	for _, l := range lists {
		if l == "" {
			continue
		}
		args = append(args, []byte(l))
		parts = append(parts, fmt.Sprintf(`SELECT seq FROM (SELECT seq FROM marks WHERE mark = $%d AND %s ORDER BY seq %s LIMIT %d) AS l%d`,
			len(args), in.where("seq"), direction, n, len(args)))
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return projections.ListOf(ctx, r.DB, scanSeq, fmt.Sprintf(`SELECT DISTINCT seq FROM (%s) AS u ORDER BY seq %s LIMIT %d`,
		strings.Join(parts, " UNION ALL "), direction, n), args...)
}

func scanSeq(row projections.Row) (uint64, error) {
	var seq int64
	err := row.Scan(&seq)
	return uint64(seq), err
}

// Near says whether sequences stand so close together that it is faster to read all between
// them than to look each up.
func Near(seqs []uint64) bool {
	const near = 4
	return len(seqs) > 0 && slices.Max(seqs)-slices.Min(seqs) < near*uint64(len(seqs))
}

// Having says which of the sequences are in any of the lists. At most 400 lists.
func (r Reader) Having(ctx context.Context, lists []List, seqs []uint64) (map[uint64]bool, error) {
	has := map[uint64]bool{}
	var places []string
	var args []any
	for _, l := range lists {
		if l != "" {
			args = append(args, []byte(l))
			places = append(places, "$"+strconv.Itoa(len(args)))
		}
	}
	if len(args) == 0 || len(seqs) == 0 {
		return has, nil
	}
	// The key is a mark and a sequence, so each pair is one look-up; but sequences close
	// together are read faster in a row.
	among := `seq IN (` + numbers(seqs) + `)`
	if Near(seqs) {
		among = fmt.Sprintf(`seq >= %d AND seq <= %d`, slices.Min(seqs), slices.Max(seqs))
	}
	wanted := make(map[uint64]bool, len(seqs))
	for _, seq := range seqs {
		wanted[seq] = true
	}
	found, err := projections.ListOf(ctx, r.DB, scanSeq, `SELECT seq FROM marks WHERE mark IN (`+strings.Join(places, ", ")+`) AND `+among, args...)
	for _, seq := range found {
		if wanted[seq] {
			has[seq] = true
		}
	}
	return has, err
}

func numbers(seqs []uint64) string {
	var b strings.Builder
	for k, seq := range seqs {
		if k > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(seq, 10))
	}
	return b.String()
}

const selectEntry = `SELECT seq, time, namespace, audience FROM entries WHERE `

func scanMark(row projections.Row) ([]byte, error) {
	var mark []byte
	err := row.Scan(&mark)
	return mark, err
}

func scanEntry(row projections.Row) (Entry, error) {
	var e Entry
	var seq, at int64
	var namespace, audience []byte
	err := row.Scan(&seq, &at, &namespace, &audience)
	e.Seq, e.Time, e.Namespace, e.Audiences = uint64(seq), time.UnixMicro(at).UTC(), projections.IDOf(namespace), parseAudience(audience)
	return e, err
}

// Entries returns the entries of these sequences, in the order of the log; those that
// are not there are left out.
func (r Reader) Entries(ctx context.Context, seqs []uint64) ([]Entry, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	return projections.ListOf(ctx, r.DB, scanEntry, selectEntry+`seq IN (`+numbers(seqs)+`) ORDER BY seq`)
}

// All returns at most n sequences of a range.
func (r Reader) All(ctx context.Context, in Range, newestFirst bool, n int) ([]uint64, error) {
	direction := "ASC"
	if newestFirst {
		direction = "DESC"
	}
	return projections.ListOf(ctx, r.DB, scanSeq, fmt.Sprintf(`SELECT seq FROM entries WHERE %s ORDER BY seq %s LIMIT %d`, in.where("seq"), direction, n))
}

// Last is the sequence of the latest event, 0 for none.
func (r Reader) Last(ctx context.Context) (uint64, error) {
	var seq int64
	err := r.DB.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM entries`).Scan(&seq)
	return uint64(seq), err
}

// At is the first sequence whose time is not before t, or one more than the last. It
// takes the times of the log to be in order, as they are unless a clock was put back.
func (r Reader) At(ctx context.Context, t time.Time) (uint64, error) {
	last, err := r.Last(ctx)
	if err != nil {
		return 0, err
	}
	low, high := uint64(1), last+1 // the answer is in low … high
	for low < high {
		mid := low + (high-low)/2
		var seq, at int64
		// An event that could not be applied is not there: the next one counts.
		err := r.DB.QueryRowContext(ctx, fmt.Sprintf(`SELECT seq, time FROM entries WHERE seq >= %d ORDER BY seq LIMIT 1`, mid)).Scan(&seq, &at)
		if err != nil {
			return 0, err
		}
		if time.UnixMicro(at).Before(t) {
			low = uint64(seq) + 1
		} else {
			high = mid
		}
	}
	return low, nil
}

// maxBeginning bounds how many digests or commits with one beginning are found.
const maxBeginning = 20

// DigestsBeginning are the lists of digests whose hexadecimal digits begin with these.
func (r Reader) DigestsBeginning(ctx context.Context, digits string) ([]List, error) {
	return r.beginning(ctx, listDigest, digits)
}

// CommitsBeginning are the lists of commits whose id begins with these digits.
func (r Reader) CommitsBeginning(ctx context.Context, digits string) ([]List, error) {
	return r.beginning(ctx, listCommit, digits)
}

func (r Reader) beginning(ctx context.Context, sort byte, digits string) (lists []List, err error) {
	from, to, err := bounds(sort, digits)
	for err == nil && len(lists) < maxBeginning {
		var found [][]byte
		found, err = projections.ListOf(ctx, r.DB, scanMark,
			`SELECT mark FROM marks WHERE mark >= $1 AND mark < $2 ORDER BY mark LIMIT 1`, from, to)
		if err != nil || len(found) == 0 {
			break
		}
		lists = append(lists, List(found[0]))
		from = append(found[0], 0) // the next one after it
	}
	return lists, err
}

// bounds are the least mark that begins with these hexadecimal digits, and the least one
// behind all of them.
func bounds(sort byte, digits string) (from, to []byte, err error) {
	low, high := digits, digits
	if len(digits)%2 == 1 {
		low, high = digits+"0", digits+"f"
	}
	from, err = hex.DecodeString(low)
	if err == nil {
		to, err = hex.DecodeString(high)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%q has other characters than hexadecimal digits", digits)
	}
	from, to = append([]byte{sort}, from...), append([]byte{sort}, to...)
	for k := len(to) - 1; k >= 0; k-- { // sort is no 0xff
		if to[k]++; to[k] != 0 {
			break
		}
	}
	return from, to, nil
}
