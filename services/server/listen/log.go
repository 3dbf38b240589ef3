package listen

import (
	"log/slog"
	"strings"
)

// A serverLog writes what an http.Server has to say, which begins with where a client
// is, as one kind of message, and panics of requests as another.
type serverLog struct{ *slog.Logger }

func (l serverLog) Write(p []byte) (int, error) {
	text := strings.TrimSpace(string(p))
	if reason, stack, ok := strings.Cut(text, "\n"); ok && strings.Contains(reason, ": panic serving ") {
		l.Error("a request panicked", "reason", reason, "stack", stack)
	} else {
		l.Warn("a connection failed", "reason", text)
	}
	return len(p), nil
}
