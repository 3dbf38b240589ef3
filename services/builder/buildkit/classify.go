package buildkit

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
	errorLine  = regexp.MustCompile(`(?m)^error: (.*)$`)
	exitCode   = regexp.MustCompile(`exit code: (\d+)`)
	parseLine  = regexp.MustCompile(`(?:dockerfile|Dockerfile) parse error on line (\d+)`)
	placeLine  = regexp.MustCompile(`(?m)^\S+:(\d+)$`)
	baseImage  = regexp.MustCompile(`failed to resolve source metadata for (\S+?): `)
	loadingOf  = regexp.MustCompile(`^\[internal\] load metadata for (\S+)$`)
	scanning   = regexp.MustCompile(`^\[\S+\] generating sbom using `)
	noNetwork  = regexp.MustCompile(`(?i)network is unreachable|no such host|server misbehaving|connection refused|temporary failure in name resolution|could not resolve|bad address|name or service not known`)
	wrongFile  = regexp.MustCompile(`failed to read dockerfile|target stage .* could not be found|failed to parse|dockerfile parse error|unknown instruction|file with no instructions|no build stage in current context|failed to process|Dockerfile cannot be empty|(?:network\.host|security\.insecure|device) is not allowed`)
	notInBuild = regexp.MustCompile(`failed to (?:calculate checksum of ref|compute cache key)[^:]*.*: .*(?:not found|no such file)`)
)

// classify finds out why a build failed.
func classify(e caged.Evidence) *driver.Failure {
	text := textOf(&e)
	f := &driver.Failure{Kind: driver.Broken, Text: text, Step: e.Step}
	f.Line = number(parseLine, e.Said)
	if f.Line == 0 {
		f.Line = number(placeLine, e.Said)
	}
	f.ExitCode = number(exitCode, text)
	set := func(kind driver.Kind, format string, args ...any) *driver.Failure {
		f.Kind, f.Text = kind, fmt.Sprintf(format, args...)
		return f
	}
	if kind, why := e.Limit(text, f.ExitCode != 0); kind != "" {
		return set(kind, "%s", why)
	}
	if e.Exit.Daemon != "" || e.Exit.Error != "" {
		return set(driver.Broken, "the builder failed: %s", cmp.Or(e.Exit.Error, "BuildKit ended: "+e.Exit.Daemon))
	}
	switch scanner := e.Spec.Scanner; {
	case scanner == "":
	case scanning.MatchString(e.Name):
		return set(driver.NoSBOM, "the scanner %s made no SBOM: %s", scanner, text)
	case strings.HasSuffix(e.Name, "docker-image://"+scanner):
		return set(driver.NoSBOM, "the scanner %s cannot be pulled: %s", scanner, e.WhyMissing(scanner, text))
	}
	if image := missingBase(&e, text); image != "" {
		return set(driver.BaseImage, "the base image %s cannot be pulled: %s", image, e.WhyMissing(image, text))
	}
	if refused, ok := e.Relay.Refused(); ok && pushing(&e) {
		return set(driver.Push, "the registry refused the image: %s", refused)
	}
	switch {
	case strings.Contains(text, "exec format error") || f.ExitCode != 0 && strings.Contains(e.Log, "exec format error"):
		return set(driver.Platform, "this builder cannot run a program: it is for another platform than %s, or damaged: %s", caged.Native, text)
	case f.ExitCode != 0:
		f.Kind = driver.StepFailed
		if !e.Spec.Network && noNetwork.MatchString(e.Log) {
			f.Text += " (RUN has no network in this build)"
		}
	case !e.Spec.Network && strings.Contains(e.Name, "://") && noNetwork.MatchString(text):
		return set(driver.Network, "the build has no network: %s", text)
	case notInBuild.MatchString(text):
		f.Kind = driver.Source
	case wrongFile.MatchString(text), f.Line > 0:
		f.Kind = driver.Dockerfile
	}
	return f
}

// textOf is what buildctl or the step says of the failure, in a line.
func textOf(e *caged.Evidence) string {
	if e.Step > 0 && e.Why != "" {
		return strings.TrimSpace(e.Why)
	}
	if m := errorLine.FindAllStringSubmatch(e.Said, -1); m != nil {
		return strings.TrimPrefix(m[len(m)-1][1], "failed to solve: ")
	}
	return cmp.Or(e.Exit.Error, fmt.Sprintf("buildctl ended with status %d and says nothing", e.Exit.Code))
}

// missingBase is the image that was asked for in vain, or "".
func missingBase(e *caged.Evidence, text string) string {
	if m := baseImage.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if m := loadingOf.FindStringSubmatch(e.Name); m != nil {
		return m[1]
	}
	return ""
}

// pushing says whether the failure is one of sending the image: no step before it
// failed.
func pushing(e *caged.Evidence) bool {
	return e.Step == 0 || strings.HasPrefix(e.Name, "exporting to image")
}

func number(pattern *regexp.Regexp, text string) int {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}
