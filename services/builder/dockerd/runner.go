package dockerd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
)

// A runner runs commands as steps, and tells what happens on standard output.
type runner struct {
	plan  plan
	steps int
	mu    sync.Mutex
	out   *json.Encoder
}

// errStep: a step failed, and was told.
var errStep = errors.New("a step failed")

// waitForOutput is how long after a command has ended it is waited for what it has
// started and what writes on.
const waitForOutput = 2 * time.Second

func (r *runner) say(s caged.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Encode(s)
}

// step runs a command as a step. When it may fail, that is no error.
func (r *runner) step(name string, mayFail bool, args ...string) error {
	return r.told(name, mayFail, func(digest string) error { return r.run(digest, args...) })
}

// told tells the begin and the end of a step.
func (r *runner) told(name string, mayFail bool, do func(digest string) error) error {
	r.steps++
	v := caged.Vertex{Digest: strconv.Itoa(r.steps), Name: name}
	began := time.Now()
	v.Started = &began
	r.say(caged.Status{Vertexes: []caged.Vertex{v}})
	err := do(v.Digest)
	ended := time.Now()
	v.Completed = &ended
	if err != nil && !mayFail {
		v.Error = err.Error()
		err = errStep
	}
	r.say(caged.Status{Vertexes: []caged.Vertex{v}})
	if mayFail {
		return nil
	}
	return err
}

// run runs a command, whose output is that of a step.
func (r *runner) run(digest string, args ...string) error {
	cmd := r.command(args...)
	both := logger{r, digest, driver.Stdout} // so that it stays in order
	cmd.Stdout, cmd.Stderr = both, both
	return ended(cmd.Run())
}

func (r *runner) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = r.plan.Dir, append(os.Environ(), r.plan.Env...), waitForOutput
	return cmd
}

// ended says how a command ended, for people.
func ended(err error) error {
	var exit *exec.ExitError
	var start *fs.PathError // of a hook, which is there
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return nil
	case errors.Is(err, syscall.ENOEXEC):
		return errors.New(`it has to begin with a line such as "#!/bin/bash"`)
	case errors.Is(err, fs.ErrNotExist) && errors.As(err, &start):
		return fmt.Errorf("the program that its first line names, %q, is not on the builder; line ends of Windows (CR LF) are part of the name", firstLine(start.Path))
	case errors.As(err, &exit) && exit.Exited():
		return fmt.Errorf("exit code: %d", exit.ExitCode())
	}
	return err
}

// firstLine is the first line of a hook, without its line feed; at most 100 bytes of it.
func firstLine(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	begin := make([]byte, 100)
	n, _ := io.ReadFull(f, begin)
	line, _, _ := strings.Cut(string(begin[:n]), "\n")
	return line
}

// A logger tells what a step writes to a stream.
type logger struct {
	r      *runner
	digest string
	stream int
}

func (l logger) Write(data []byte) (int, error) {
	l.r.say(caged.Status{Logs: []caged.Logged{{Vertex: l.digest, Stream: l.stream, Data: data, Timestamp: time.Now()}}})
	return len(data), nil
}
