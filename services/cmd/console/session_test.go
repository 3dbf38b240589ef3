package console

import (
	"io"
	"os"
	"testing"
)

// People type what is printed: in a container's log, from outside of it.
func TestProgram(t *testing.T) {
	args := os.Args
	t.Cleanup(func() { os.Args = args })
	for _, c := range []struct{ program, data, want string }{
		{"./hubledger", DefaultData, "./hubledger"},
		{"hubledger", "/srv/hub", "hubledger --data /srv/hub"},
		{"/tmp/go-build1/b001/exe/hubledger", DefaultData, "go run ."},
		{"/hubledger", "/data", "docker exec CONTAINER /hubledger"},
	} {
		os.Args = []string{c.program}
		s := newSession(t, io.Discard)
		s.Data = c.data
		if got := s.Program(); got != c.want {
			t.Errorf("%s on %s: %q, want %q", c.program, c.data, got, c.want)
		}
	}
}
