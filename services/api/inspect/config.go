// Package inspect reads what an image's config says, for people. All of it is the
// pusher's text.
package inspect

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/internal/apitypes"
)

// MaxConfig is the largest config in bytes that is read.
const MaxConfig = 4 << 20

// Bounds of what is shown of one config.
const (
	maxHistory = 1000
	maxValues  = 500
	maxText    = 4096
)

// Read reads a config (image-spec, "Image Configuration") of an image with so many
// layers, and the line of its history that made each: "" where it does not say.
func Read(raw []byte, layers int) (config apitypes.ImageConfig, made []string, err error) {
	var c v1.Image
	if err := json.Unmarshal(raw, &c); err != nil {
		return config, nil, fmt.Errorf("the config is no JSON of an image: %w", err)
	}
	config = apitypes.ImageConfig{Created: c.Created, Env: cutAll(c.Config.Env), Entrypoint: cutAll(c.Config.Entrypoint), Cmd: cutAll(c.Config.Cmd), User: cut(c.Config.User),
		WorkingDir: cut(c.Config.WorkingDir), Labels: map[string]string{}, Ports: cutAll(slices.Sorted(maps.Keys(c.Config.ExposedPorts))),
		Volumes: cutAll(slices.Sorted(maps.Keys(c.Config.Volumes))), StopSignal: cut(c.Config.StopSignal), Author: cut(c.Author)}
	for _, key := range slices.Sorted(maps.Keys(c.Config.Labels)) {
		if len(config.Labels) < maxValues {
			config.Labels[cut(key)] = cut(c.Config.Labels[key])
		}
	}
	made = make([]string, layers)
	config.History = []apitypes.HistoryLine{}
	at := 0
	filled := 0
	for _, h := range c.History {
		if !h.EmptyLayer {
			filled++
		}
	}
	for _, h := range c.History {
		line := apitypes.HistoryLine{Text: cut(Instruction(h.CreatedBy)), Comment: cut(h.Comment), Layer: -1}
		// The history is of these layers only if it has as many.
		if !h.EmptyLayer && filled == layers {
			line.Layer = at
			made[at] = line.Text
			at++
		}
		if len(config.History) < maxHistory {
			config.History = append(config.History, line)
		}
	}
	return config, made, nil
}

var (
	arguments = regexp.MustCompile(`^\|\d+( \S+=\S*)* (/bin/sh -c)`)
	shell     = "/bin/sh -c "
	nop       = "#(nop)"
)

// Instruction is a line of a history as it stood in the Dockerfile, as far as that
// can be told: Docker's older builder wrote the command of the shell, with #(nop) before
// what ran nothing and |N args before what had build arguments; BuildKit writes RUN
// /bin/sh -c … # buildkit.
func Instruction(line string) string {
	line = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "# buildkit"))
	run := strings.HasPrefix(line, "RUN ")
	line = strings.TrimPrefix(line, "RUN ")
	line = arguments.ReplaceAllString(line, "$2")
	rest, ok := strings.CutPrefix(line, shell)
	rest = strings.TrimSpace(rest)
	switch {
	case ok && strings.HasPrefix(rest, nop):
		return strings.TrimSpace(strings.TrimPrefix(rest, nop))
	case ok:
		return "RUN " + rest
	case run:
		return "RUN " + line
	}
	return line
}

func cut(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + " …"
	}
	return text
}

func cutAll(list []string) []string {
	out := []string{}
	for _, text := range list[:min(len(list), maxValues)] {
		out = append(out, cut(text))
	}
	return out
}
