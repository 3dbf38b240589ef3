package compose

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// A Setting is what a file is judged by beside its text.
type Setting struct {
	// Allow is what the operator allows, of Allowable.
	Allow []string
	// Values are the configuration of the environment that the file is for, and Secrets the
	// names of its secrets. A nil Values: it is for none yet.
	Values  map[string]string
	Secrets []string
	// Environment is what messages call it.
	Environment string
}

// A Judgment is what is to be said of a file.
type Judgment struct {
	// App is what the file says. Nil when there are problems, and when it cannot be known
	// without the values of Missing.
	App *App
	// Images are those of the services, by service, as they are written, and Roles what the
	// services are to blue and green.
	Images map[string]string
	Roles  map[string]Role
	// Missing are the variables without a value and without a default: those of the text,
	// and those that services take over in environment.
	Missing []string
	// Problems are all reasons why the file is refused, by line.
	Problems []Problem
}

var serviceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$`)

// Judge says what a file comes to. It reads nothing but its arguments.
func Judge(ctx context.Context, text []byte, s Setting) Judgment {
	r := &reader{lines: map[string]int{}}
	var out Judgment
	file := r.read(text)
	if file != nil {
		r.allowed(file, s.Allow)
	}
	if file != nil && !r.full {
		out.Images, out.Roles = map[string]string{}, map[string]Role{}
		for name, of := range r.named(file, "services") {
			path := join("services", name)
			service, ok := of.(map[string]any)
			if !ok {
				continue // allowed has said so
			}
			if !serviceName.MatchString(name) {
				r.at(path, "a service is called by 1 to 40 lower-case letters, digits, - and _")
			}
			out.Roles[name] = r.role(path, service)
			out.Images[name] = r.image(path, service)
		}
		out.Missing = r.variables(file, s)
		r.filled = true
		if len(r.problems) == 0 && len(out.Missing) == 0 {
			r.portRanges(file, s)
		}
		if len(r.problems) == 0 && len(out.Missing) == 0 {
			out.App = r.load(ctx, file, out.Roles, s)
		}
		if out.App != nil {
			r.roles(out.App)
			out.Missing = r.environment(out.App, s)
		}
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	out.Problems = r.problems
	if len(out.Problems) > 0 || len(out.Missing) > 0 {
		out.App = nil
	}
	return out
}

func (r *reader) image(path string, service map[string]any) string {
	path += ".image"
	image, ok := service["image"].(string)
	switch {
	case !ok || image == "":
		r.at(path, "name the image of the service, such as acme/app:1.0")
	case strings.Contains(image, "$"):
		r.at(path, "an image has no variables: a release names it by digest for all environments; write its tag")
	case strings.TrimSpace(image) != image || len(image) > 500:
		r.at(path, "this is no name of an image")
	}
	return image
}

// variables are those of the text that have neither a value nor a default.
func (r *reader) variables(file map[string]any, s Setting) (missing []string) {
	for name, v := range template.ExtractVariables(file, template.DefaultPattern) {
		_, set := s.Values[name]
		switch {
		case name == "": // how compose-go calls what it cannot read
			r.at("", "the file has a $ that is no variable: write ${NAME} or ${NAME:-default}, and $$ for the sign itself")
		case slices.Contains(s.Secrets, name):
			r.at("", "${%.60s} is a secret%s, and a secret cannot be part of the file: write - %[1]s in environment of the services that need it", name, of(s))
		case !set && v.DefaultValue == "" && v.PresenceValue == "":
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

func of(s Setting) string {
	if s.Environment == "" {
		return ""
	}
	return " of " + s.Environment
}

// environment puts in what services take over from the configuration, and returns what
// is not there.
func (r *reader) environment(a *App, s Setting) (missing []string) {
	for k := range a.Services {
		env := a.Services[k].Environment
		for n := range env {
			v := &env[n]
			if !v.Secret { // so far: it has no value of its own
				continue
			}
			value, set := s.Values[v.Name]
			switch {
			case set:
				v.Value, v.Secret = value, false
			case !slices.Contains(s.Secrets, v.Name):
				missing = append(missing, v.Name)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// load has compose-go read a file that was judged. It gets neither paths nor the
// environment of the process.
func (r *reader) load(ctx context.Context, file map[string]any, roles map[string]Role, s Setting) *App {
	delete(file, "version") // it would be warned of
	delete(file, "name")
	v := &values{of: s.Values}
	details := types.ConfigDetails{WorkingDir: "/nonexistent", ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Config: file}},
		// Not empty: compose-go would take that of the process.
		Environment: types.Mapping{"HUBLEDGER": "1"}}
	options := func(o *loader.Options) {
		o.SetProjectName("app", true)
		o.Interpolate.LookupValue = v.lookup
		o.SkipInclude, o.SkipExtends, o.SkipResolveEnvironment, o.SkipResolveLabels, o.SkipNormalization = true, true, true, true, true
		o.ResolvePaths = false
	}
	project, err := func() (p *types.Project, err error) {
		defer func() {
			if recover() != nil { // a fault of the library is one of the file, to us
				err = errors.New("this is no Compose file that can be read")
			}
		}()
		model, err := loader.LoadModelWithContext(ctx, details, options)
		if err != nil {
			return nil, err
		}
		return loader.ModelToProject(model, loader.ToOptions(&details, []func(*loader.Options){options}), details)
	}()
	switch {
	case v.filled > maxFilled:
		r.at("", "the variables of the file put in more than %d bytes", maxFilled)
	case err != nil:
		r.at("", "%.500s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "validating compose.yaml: "), "compose.yaml: "))
	default:
		return r.convert(project, roles, s)
	}
	return nil
}

// textual says whether a text can stand in the environment of a process or a file of
// an engine.
func (r *reader) textual(path, what, text string) {
	if strings.ContainsRune(text, 0) || len(text) > maxFilled {
		r.at(path, "%s has a NUL byte, or is too long", what)
	}
}
