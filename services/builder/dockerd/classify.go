package dockerd

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
)

var (
	exitCode  = regexp.MustCompile(`(?:exit code: |non-zero code: )(\d+)`)
	baseImage = regexp.MustCompile(`(?:manifest for|pull access denied for|repository) ([^ ,]+)(?:,| not found)|Get "?http://[^ ]+/v2/(\S+)/manifests/`)
	wrongFile = regexp.MustCompile(`(?i)dockerfile parse error|unknown instruction|no build stage|Dockerfile cannot be empty|file with no instructions`)
	fromStep  = regexp.MustCompile(`(?mi)^Step \d+/\d+ : FROM (?:--\S+ )?([^\s$]+)`)
	wrongLine = regexp.MustCompile(`(?i)dockerfile parse error (?:on )?line (\d+)`)
)

// dockerHub is where the engine looks for what its mirror does not have.
const dockerHub = `Get "https://registry-1.docker.io/`

// Failed is of caged.Method.
func (m method) Failed(e caged.Evidence) *driver.Failure {
	f := &driver.Failure{Kind: driver.StepFailed, Step: e.Step, Text: strings.TrimSpace(e.Name + " failed: " + e.Why)}
	last := lastLine(e.Log)
	if e.Step == 0 {
		f.Kind, f.Text = driver.Broken, cmp.Or(e.Exit.Error, lastLine(e.Said), fmt.Sprintf("the engine's program ended with status %d", e.Exit.Code))
	} else if (e.Name == buildStep || e.Name == pushStep) && last != "" {
		f.Text = e.Name + " failed: " + last
	}
	for _, text := range []string{e.Why, last} {
		if got := exitCode.FindStringSubmatch(text); got != nil {
			f.ExitCode, _ = strconv.Atoi(got[1])
		}
	}
	if kind, why := e.Limit(f.Text, e.Step > 0); kind != "" {
		f.Kind, f.Text = kind, why
		return f
	}
	switch {
	case e.Exit.Daemon != "":
		f.Kind, f.Text = driver.Broken, "the engine ended: "+e.Exit.Daemon+": "+f.Text
	case e.Name == pushStep:
		if refused, ok := e.Relay.Refused(); ok {
			f.Kind, f.Text = driver.Push, "the registry refused the image: "+refused.String()
		}
	case e.Name == buildStep:
		m.judgeBuild(f, &e, last)
	}
	return f
}

// judgeBuild finds out why the default build failed.
func (m method) judgeBuild(f *driver.Failure, e *caged.Evidence, last string) {
	if got := wrongLine.FindStringSubmatch(last); got != nil {
		f.Line, _ = strconv.Atoi(got[1])
	}
	switch {
	case strings.Contains(last, "exec format error"):
		f.Kind = driver.Platform
	case wrongFile.MatchString(last):
		f.Kind = driver.Dockerfile
	case strings.Contains(last, "COPY failed") || strings.Contains(last, "ADD failed"):
		f.Kind = driver.Source
	default:
		image := ""
		if got := baseImage.FindStringSubmatch(last); got != nil {
			image = cmp.Or(got[1], got[2])
		} else if got := fromStep.FindAllStringSubmatch(e.Log, -1); got != nil && strings.Contains(last, dockerHub) {
			image = got[len(got)-1][1] // the engine went there because the hub does not have it
		}
		if image != "" {
			f.Kind, f.Text = driver.BaseImage, fmt.Sprintf("the base image %s cannot be pulled: %s", image, e.WhyMissing(image, last))
		}
	}
}

// lastLine is the last line of a text that has any.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(strings.TrimSuffix(lines[len(lines)-1], "\x1b[0m"))
}
