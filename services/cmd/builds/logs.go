package builds

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type logsCmd struct {
	one
	Follow bool `short:"f" help:"Go on until the build has ended, and end with exit code 1 if it did not succeed."`
}

// pieceEvery is how long to wait for more.
const pieceEvery = 200 * time.Millisecond

func (c *logsCmd) Run(s *console.Session) error {
	a, path, v, err := c.open(s)
	if err != nil {
		return err
	}
	why := ""
	for next := uint64(0); ; {
		piece, err := console.Get[apitypes.BuildLog](a, path+"/log?after="+strconv.FormatUint(next, 10))
		if err != nil {
			return err
		}
		next = piece.Next
		for _, chunk := range piece.Chunks {
			if s.JSON {
				err = s.Print(chunk)
			} else {
				_, err = io.WriteString(s.Out, chunk.Text)
			}
			if err != nil {
				return err
			}
		}
		switch {
		case len(piece.Chunks) > 0:
			continue
		case piece.Ended && c.Follow:
			return c.end(a, path)
		case piece.Ended || !c.Follow:
			return nil
		}
		if v.State == "waiting" {
			now, err := console.Get[apitypes.BuildDetails](a, path)
			if err != nil {
				return err
			}
			if v = now.Build; v.State == "waiting" && v.Detail != why {
				why = v.Detail
				fmt.Fprintf(s.Err, "waiting: position %d, because %s\n", v.Position, why)
			}
		}
		select {
		case <-s.Context.Done():
			return s.Context.Err()
		case <-time.After(pieceEvery):
		}
	}
}

// end says how a build has ended.
func (c *logsCmd) end(a *console.API, path string) error {
	v, err := console.Get[apitypes.BuildDetails](a, path)
	if err != nil || a.Session.JSON {
		return err
	}
	if v.Outcome != "succeeded" {
		return fmt.Errorf("the build %s: %s %s", v.Short(), v.Outcome, v.Detail)
	}
	fmt.Fprintf(a.Session.Out, "The build %s succeeded", v.Short())
	if len(v.Set) > 0 {
		fmt.Fprintf(a.Session.Out, ": docker pull %s/%s:%s", a.Host(), v.Repository, v.Set[0])
	}
	_, err = fmt.Fprintln(a.Session.Out)
	return err
}
