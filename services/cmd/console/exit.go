package console

// Exit codes. Scripts rely on them: see docs/cli.md.
const (
	ExitOK    = 0
	ExitFail  = 1 // the command failed; the message says why
	ExitUsage = 2 // the command line or a setting is invalid
	ExitGuard = 3 // the log guard does not trust the log
	ExitDiff  = 4 // a check found a problem: answers that differ, a damaged blob, bad rules
)

// An ExitError ends the program with an exit code other than ExitFail.
type ExitError struct {
	Err  error
	Code int
}

func (e *ExitError) Error() string { return e.Err.Error() }

func (e *ExitError) Unwrap() error { return e.Err }

// ExitCode returns e.Code.
func (e *ExitError) ExitCode() int { return e.Code }
