// Write puts the schema of every event type into the folder given, and removes
// those of types that no longer exist.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"hubledger/events"
	"hubledger/schemas/gen"
)

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "write schemas:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for _, t := range events.Types {
		text, err := gen.Schema(t.Prototype)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, t.Prototype.EventType()+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
