package buildkit

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
)

// evidence is what is known after a build failed. BuildKit itself tells kinds of
// failure by text only, so what the kernel and the relay have seen comes first.
type evidence struct {
	spec      *driver.Spec
	registry  string
	progress  *progress
	exit      cage.Exit
	daemon    string // what buildkitd logged
	memory    bool   // the kernel ended a process for lack of memory
	pids      bool   // a process could not be made
	leastFree int64  // bytes of the disk
	relay     *relay.Relay
}

var (
	errorLine  = regexp.MustCompile(`(?m)^error: (.*)$`)
	exitCode   = regexp.MustCompile(`exit code: (\d+)`)
	parseLine  = regexp.MustCompile(`(?:dockerfile|Dockerfile) parse error on line (\d+)`)
	placeLine  = regexp.MustCompile(`(?m)^\S+:(\d+)$`)
	baseImage  = regexp.MustCompile(`failed to resolve source metadata for (\S+?): `)
	loadingOf  = regexp.MustCompile(`^\[internal\] load metadata for (\S+)$`)
	noNetwork  = regexp.MustCompile(`(?i)network is unreachable|no such host|server misbehaving|connection refused|temporary failure in name resolution|could not resolve|bad address|name or service not known`)
	noSpace    = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)
	wrongFile  = regexp.MustCompile(`failed to read dockerfile|target stage .* could not be found|failed to parse|dockerfile parse error|unknown instruction|file with no instructions|no build stage in current context|failed to process|Dockerfile cannot be empty|(?:network\.host|security\.insecure|device) is not allowed`)
	notInBuild = regexp.MustCompile(`failed to (?:calculate checksum of ref|compute cache key)[^:]*.*: .*(?:not found|no such file)`)
)

// native is the platform of this machine.
var native = runtime.GOOS + "/" + runtime.GOARCH

// classify finds out why a build failed.
func classify(e evidence) *driver.Failure {
	text, tail := e.text(), ""
	f := &driver.Failure{Kind: driver.Broken, Text: text}
	if s := e.progress.failed; s != nil {
		f.Step, tail = s.number, s.tail.String()
	}
	whole := e.progress.said.String()
	f.Line = number(parseLine, whole)
	if f.Line == 0 {
		f.Line = number(placeLine, whole)
	}
	f.ExitCode = number(exitCode, text)
	limits := e.spec.Limits
	set := func(kind driver.Kind, format string, args ...any) *driver.Failure {
		f.Kind, f.Text = kind, fmt.Sprintf(format, args...)
		return f
	}
	switch {
	case e.memory:
		return set(driver.Memory, "the build needs more memory than it may have (%s): %s", size(limits.Memory), text)
	case noSpace.MatchString(text), noSpace.MatchString(tail) && e.leastFree < limits.Disk/2:
		return set(driver.DiskFull, "the build needs more space than it may have (%s): %s", size(limits.Disk), text)
	case e.pids && f.ExitCode != 0:
		return set(driver.Processes, "the build needs more processes than it may have (%d): %s", limits.PIDs, text)
	case e.exit.Daemon != "" || e.exit.Error != "":
		return set(driver.Broken, "the builder failed: %s", cmp.Or(e.exit.Error, "BuildKit ended: "+e.exit.Daemon))
	}
	if image := e.missingBase(text); image != "" {
		return set(driver.BaseImage, "the base image %s is not to be had: %s", image, e.whyMissing(image, text))
	}
	if refused, ok := e.relay.Refused(); ok && e.pushing() {
		return set(driver.Push, "the registry refused the image: %s", refused)
	}
	name := ""
	if e.progress.failed != nil {
		name = e.progress.failed.name
	}
	switch {
	case strings.Contains(text, "exec format error") || f.ExitCode != 0 && strings.Contains(tail, "exec format error"):
		return set(driver.Platform, "this builder cannot run a program: it is for another platform than %s, or damaged: %s", native, text)
	case f.ExitCode != 0:
		f.Kind = driver.StepFailed
		if !e.spec.Network && noNetwork.MatchString(tail) {
			f.Text += " (RUN has no network in this build)"
		}
	case !e.spec.Network && strings.Contains(name, "://") && noNetwork.MatchString(text):
		return set(driver.Network, "the build has no network: %s", text)
	case notInBuild.MatchString(text):
		f.Kind = driver.Source
	case wrongFile.MatchString(text), f.Line > 0:
		f.Kind = driver.Dockerfile
	}
	return f
}

// text is what buildctl or the step says of the failure, in a line.
func (e *evidence) text() string {
	if s := e.progress.failed; s != nil && s.text != "" {
		return strings.TrimSpace(s.text)
	}
	if m := errorLine.FindAllStringSubmatch(e.progress.said.String(), -1); m != nil {
		return strings.TrimPrefix(m[len(m)-1][1], "failed to solve: ")
	}
	return cmp.Or(e.exit.Error, fmt.Sprintf("buildctl ended with status %d and says nothing", e.exit.Code))
}

// missingBase is the image that was asked for in vain, or "".
func (e *evidence) missingBase(text string) string {
	if m := baseImage.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if s := e.progress.failed; s != nil {
		if m := loadingOf.FindStringSubmatch(s.name); m != nil {
			return m[1]
		}
	}
	return ""
}

// whyMissing is what the hub said when it was asked for an image.
func (e *evidence) whyMissing(image, text string) string {
	host, rest, _ := strings.Cut(image, "/")
	if host != e.registry && host != "docker.io" {
		if e.spec.Network {
			return text
		}
		return "this builder reaches " + e.registry + " only, not " + host + "; push the image there first"
	}
	repository, reference := rest, "latest"
	if name, digest, ok := strings.Cut(rest, "@"); ok {
		repository, reference = name, digest
	} else if k := strings.LastIndexByte(rest, ':'); k >= 0 {
		repository, reference = rest[:k], rest[k+1:]
	}
	refused, ok := e.relay.Missing(repository, reference)
	switch {
	case !ok:
		return text
	case refused.Status == 404:
		return e.registry + " has no " + repository + " " + reference + ", or not for this build"
	}
	return refused.String()
}

// pushing says whether the failure is one of sending the image: no step before it
// failed.
func (e *evidence) pushing() bool {
	s := e.progress.failed
	return s == nil || strings.HasPrefix(s.name, "exporting to image")
}

func number(pattern *regexp.Regexp, text string) int {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
