package builds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
)

// Build is the command that builds a directory of this machine.
type Build struct {
	console.Target
	Dir        string   `arg:"" optional:"" default:"." help:"Directory to build. What .dockerignore leaves out is not sent."`
	Repository string   `required:"" placeholder:"NAME" help:"Full name of the repository of the image, such as acme/app. You need the right to push to it."`
	Tag        []string `short:"t" sep:"none" placeholder:"TAG" help:"Tag that the image gets; may be repeated. Default: latest."`
	File       string   `short:"f" placeholder:"PATH" help:"Dockerfile, as seen from the current directory; it has to be within DIR. Default: Dockerfile in DIR."`
	Stage      string   `name:"target" placeholder:"STAGE" help:"Stage of the Dockerfile to build. Default: the last."`
	BuildArg   []string `sep:"none" placeholder:"NAME=VALUE" help:"Build argument; may be repeated. NAME alone takes the value from the environment. They are no secrets."`
	Platform   []string `placeholder:"PLATFORM" help:"Platforms to build for, such as linux/arm64. Default: the builder's own."`
	Label      []string `sep:"none" placeholder:"NAME=VALUE" help:"Label of the image; may be repeated."`
	Autotest   bool     `help:"Run the autotests beside the Dockerfile (*.test.yml) before the image is pushed."`
	SBOM       bool     `name:"sbom" help:"Put an SBOM beside the image, by the hub's scanner."`
	Network    bool     `help:"Let steps fetch from public hosts by HTTP and HTTPS."`
	NoCache    bool     `help:"Do not reuse layers of earlier builds."`
	NoPush     bool     `help:"Build, and push nothing."`
	Follow     bool     `default:"true" negatable:"" help:"Print what the build writes, and end with exit code 1 if it does not succeed. Ctrl-C cancels the build."`
	Watch      bool     `help:"Build again when a file changes, until Ctrl-C."`
}

// Validate is of kong.
func (c *Build) Validate() error {
	switch {
	case c.Watch && !c.Follow:
		return errors.New("--watch follows its builds: leave out --no-follow")
	case c.NoPush && len(c.Tag) > 0:
		return errors.New("an image that is not pushed has no tags: leave out --tag or --no-push")
	}
	return nil
}

// Run is of kong.
func (c *Build) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	d, err := c.directory(a)
	if err != nil {
		return err
	}
	if err := c.reachable(a); err != nil {
		return err
	}
	if c.Watch {
		return d.watch()
	}
	v, err := d.build()
	switch {
	case err != nil:
		return err
	case c.Follow:
		return d.follow(v)
	case s.JSON:
		return s.Print(v)
	}
	_, err = fmt.Fprintf(s.Out, "Queued the build %s (event %d). See what it writes: hubledger builds logs -f %s %s\n", v.Short(), v.Seq, v.Repository, v.Short())
	return err
}

// reachable says, before anything is sent, whether the repository can be pushed to.
func (c *Build) reachable(a *console.API) error {
	_, err := console.Get[apitypes.List[apitypes.Build]](a, client.RepositoryPath(c.Repository)+"/builds?limit=1")
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		refused.Advice = "; create it: hubledger repos create " + c.Repository
	}
	return err
}

// directory is what the flags say, to be asked of the hub.
func (c *Build) directory(a *console.API) (*directory, error) {
	d := &directory{api: a, path: c.Dir, repository: c.Repository, ask: apitypes.BuildUploadRequest{Tags: c.Tag, Target: c.Stage, Platforms: c.Platform, Autotest: c.Autotest, SBOM: c.SBOM, Network: c.Network, NoCache: c.NoCache, NoPush: c.NoPush}}
	if len(c.Tag) == 0 && !c.NoPush {
		d.ask.Tags = []string{"latest"}
	}
	var err error
	if d.ask.Args, err = pairs("--build-arg", c.BuildArg, os.LookupEnv); err != nil {
		return nil, err
	}
	if d.ask.Labels, err = pairs("--label", c.Label, nil); err != nil {
		return nil, err
	}
	if d.ask.Dockerfile, err = dockerfile(c.Dir, c.File); err == nil && c.Autotest {
		err = hasAutotests(filepath.Join(c.Dir, filepath.Dir(filepath.FromSlash(d.ask.Dockerfile))))
	}
	return d, err
}

// hasAutotests refuses a directory with neither autotests nor the hook that stands for
// them: a build of it would succeed untested.
func hasAutotests(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "hooks", "test")); err == nil {
		return nil
	}
	all, err := os.ReadDir(dir)
	if err == nil && !slices.ContainsFunc(all, func(e os.DirEntry) bool { return !e.IsDir() && buildrule.IsTest(e.Name()) }) {
		err = fmt.Errorf("there are no autotests in %s, where the Dockerfile is: write one, such as docker-compose.test.yml, or leave out --autotest", dir)
	}
	return err
}

// pairs reads NAME=VALUE; the value of NAME alone is that of known, and without one it is
// left out, as docker does.
func pairs(flag string, list []string, known func(string) (string, bool)) (map[string]string, error) {
	all := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		if !ok && known != nil {
			if value, ok = known(name); !ok {
				continue
			}
		}
		if !ok || name == "" {
			return nil, &console.ExitError{Err: fmt.Errorf("%s %s: write NAME=VALUE", flag, text), Code: console.ExitUsage}
		}
		all[name] = value
	}
	return all, nil
}

// dockerfile is the path of the Dockerfile within a directory. file is what was asked for,
// by its path on this machine; "" is Dockerfile in the directory.
func dockerfile(dir, file string) (string, error) {
	root, err := filepath.Abs(dir)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return "", err
	}
	named := file
	if file == "" {
		named = filepath.Join(root, "Dockerfile")
	}
	at, err := filepath.Abs(named)
	if err != nil {
		return "", err
	}
	// The directory may have another name by way of links; the file may be a link itself.
	place, err := filepath.EvalSymlinks(filepath.Dir(at))
	if err != nil {
		return "", fmt.Errorf("there is no Dockerfile %s: %w", named, err)
	}
	name, err := filepath.Rel(root, filepath.Join(place, filepath.Base(at)))
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("the Dockerfile %s is outside of %s, the directory that is built: name it as seen from the current directory, such as %s", named, dir, filepath.Join(dir, filepath.Base(named)))
	}
	if info, err := os.Stat(at); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("there is no file %s: name the Dockerfile by --file", named)
	}
	return filepath.ToSlash(name), nil
}

// follow prints what a build writes until it has ended. When the command is interrupted
// the build is cancelled.
func (d *directory) follow(v apitypes.Build) error {
	s := d.api.Session
	err := stream(d.api, v, true)
	if s.Context.Err() != nil {
		return d.cancel(v)
	}
	if s.JSON {
		now, gerr := console.Get[apitypes.BuildDetails](d.api, pathOf(v))
		if gerr == nil {
			gerr = s.Print(now)
		}
		return errors.Join(gerr, err)
	}
	return err
}

// cancelWithin bounds cancelling a build after the command was interrupted.
const cancelWithin = 10 * time.Second

// cancel cancels a build after an interruption, and says so by its error.
func (d *directory) cancel(v apitypes.Build) error {
	ctx, end := context.WithTimeout(context.WithoutCancel(d.api.Session.Context), cancelWithin)
	defer end()
	err := d.api.Within(ctx).Do("POST", pathOf(v)+"/cancel", nil)
	var refused *client.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusConflict:
		return fmt.Errorf("interrupted when the build %s had ended", v.Short())
	case err != nil:
		return fmt.Errorf("interrupted; the build %s goes on, because it cannot be cancelled: %w", v.Short(), err)
	}
	return fmt.Errorf("interrupted: the build %s was cancelled", v.Short())
}
