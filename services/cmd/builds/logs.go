package builds

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"hubledger/services/cmd/client"
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
	err := c.print(s)
	if err != nil && s.Context.Err() != nil {
		return errors.New("stopped; the build goes on by itself")
	}
	return err
}

func (c *logsCmd) print(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if c.Follow && c.Build == "" {
		if err := c.settle(a); err != nil {
			return err
		}
	}
	v, err := c.find(a)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Err, headline(v, time.Now()))
	return stream(a, v, c.Follow)
}

// stream prints what a build has written. With follow it goes on until the build has
// ended, and says how.
func stream(a *console.API, v apitypes.Build, follow bool) error {
	s, path, why := a.Session, pathOf(v), ""
	out := s.Coloured()
	defer out.Close()
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
				_, err = io.WriteString(out, chunk.Text)
			}
			if err != nil {
				return err
			}
		}
		switch {
		case len(piece.Chunks) > 0:
			continue
		case piece.Ended && follow:
			if err := out.Close(); err != nil {
				return err
			}
			return end(a, path)
		case piece.Ended || !follow:
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
		if err := pause(s, pieceEvery); err != nil {
			return err
		}
	}
}

// pause waits, or says that the command was ended.
func pause(s *console.Session, d time.Duration) error {
	select {
	case <-s.Context.Done():
		return s.Context.Err()
	case <-time.After(d):
		return nil
	}
}

// ending is the predicate of an outcome.
func ending(outcome string) string {
	switch outcome {
	case "cancelled", "superseded", "lost":
		return "was " + outcome
	}
	return outcome
}

// pathOf is that of a build in the API.
func pathOf(v apitypes.Build) string {
	return client.RepositoryPath(v.Repository) + "/builds/" + v.ID
}

// end says how a build has ended. The error says that it did not succeed.
func end(a *console.API, path string) error {
	v, err := console.Get[apitypes.BuildDetails](a, path)
	if err != nil {
		return err
	}
	if v.Outcome != "succeeded" {
		return fmt.Errorf("the build %s %s%s", v.Short(), ending(v.Outcome), console.If(v.Detail != "", ": "+v.Detail))
	}
	if a.Session.JSON {
		return nil
	}
	fmt.Fprintf(a.Session.Out, "The build %s succeeded", v.Short())
	if len(v.Set) > 0 {
		fmt.Fprintf(a.Session.Out, ": docker pull %s/%s:%s", a.Host(), v.Repository, v.Set[0])
	}
	if v.Digest != "" {
		fmt.Fprintf(a.Session.Out, "\nDigest: %s", v.Digest)
	}
	_, err = fmt.Fprintln(a.Session.Out)
	return err
}
