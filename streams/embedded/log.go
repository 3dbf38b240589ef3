package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// A Log passes a server's messages on. Its notices are logged at level debug: they are
// of no interest in normal running.
type Log struct {
	slog *slog.Logger
	last atomic.Pointer[string]
}

// NewLog makes the log of a server.
func NewLog(logger *slog.Logger) *Log { return &Log{slog: logger.With("from", "nats")} }

// Noticef is of server.Logger, as all of the following are.
func (l *Log) Noticef(format string, v ...any) { l.slog.Debug(fmt.Sprintf(format, v...)) }

// Warnf logs a warning.
func (l *Log) Warnf(format string, v ...any) { l.slog.Warn(fmt.Sprintf(format, v...)) }

// Debugf logs nothing.
func (l *Log) Debugf(string, ...any) {}

// Tracef logs nothing.
func (l *Log) Tracef(string, ...any) {}

// Errorf logs an error and keeps it for LastError.
func (l *Log) Errorf(format string, v ...any) { l.keep(fmt.Sprintf(format, v...)) }

// Fatalf is Errorf: the process goes on.
func (l *Log) Fatalf(format string, v ...any) { l.keep(fmt.Sprintf(format, v...)) }

func (l *Log) keep(msg string) {
	l.last.Store(&msg)
	l.slog.Error(msg)
}

// LastError is the latest error that the server has logged.
func (l *Log) LastError() error {
	if msg := l.last.Load(); msg != nil {
		return errors.New(*msg)
	}
	return errors.New("no reason given")
}

// Failed says whether the server has logged an error.
func (l *Log) Failed() bool { return l.last.Load() != nil }
