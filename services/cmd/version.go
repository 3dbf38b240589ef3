package cmd

import (
	"fmt"
	"runtime/debug"

	"hubledger/services/cmd/console"
)

type versionCmd struct{}

// A build says from which source and by which Go version the binary was built.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

func buildInfo() build {
	b := build{Version: "devel", Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty {
		b.Commit += "+changes"
	}
	return b
}

func (versionCmd) Run(s *console.Session) error {
	b := buildInfo()
	if s.JSON {
		return s.Print(b)
	}
	_, err := fmt.Fprintf(s.Out, "hubledger %s, commit %s, %s\n", b.Version, b.Commit, b.Go)
	return err
}
