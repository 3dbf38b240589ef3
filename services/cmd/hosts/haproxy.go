package hosts

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/hostagent/balancer"
	"hubledger/services/internal/apitypes"
)

// HAProxy are the commands on the balancer.
type HAProxy struct {
	Config haproxyConfigCmd `cmd:"" help:"Print the configuration of HAProxy for an environment of an application. It stays the same from deploy to deploy."`
}

type haproxyConfigCmd struct {
	console.Target
	App         string            `arg:"" help:"Full name, such as acme/shop."`
	Environment string            `arg:"" help:"Such as production."`
	Host        map[string]string `help:"A host, and the address at which HAProxy reaches it, such as web1=10.0.0.1; once for each." placeholder:"NAME=ADDRESS" mapsep:"none"`
	Weights     int               `help:"Port of the weight responder on the hosts (agent --weights)." default:"9180" placeholder:"PORT"`
	Listen      int               `help:"Port on which HAProxy takes requests; of several web services the first, by name." default:"80" placeholder:"PORT"`
	Socket      string            `help:"Runtime socket of HAProxy (agent --haproxy-socket)." default:"/run/haproxy/hubledger.sock" placeholder:"PATH"`
	State       string            `help:"File of the servers' state (agent --haproxy-state)." default:"/var/lib/haproxy/hubledger.state" placeholder:"FILE"`
}

// Validate is called by kong.
func (c *haproxyConfigCmd) Validate() error {
	if len(c.Host) == 0 {
		return errors.New("name the hosts, such as --host web1=10.0.0.1")
	}
	for name, address := range c.Host {
		if net.ParseIP(address) == nil {
			return fmt.Errorf("--host: the address of %s is to be an IP, such as 10.0.0.1, and is %q", name, address)
		}
	}
	for _, port := range []int{c.Weights, c.Listen} {
		if port < 1 || port > 65535 {
			return fmt.Errorf("%d is no port", port)
		}
	}
	return nil
}

func (c *haproxyConfigCmd) Run(s *console.Session) error {
	namespace, name, ok := strings.Cut(c.App, "/")
	if !ok {
		return fmt.Errorf("%q names no application: write NAMESPACE/NAME, such as acme/shop", c.App)
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	app, err := console.Get[apitypes.Application](a, client.Path("apps", namespace, name))
	if err != nil {
		return err
	}
	text, err := settings(c, &app)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.Out, text)
	return err
}

// settings is the configuration for an application's web services.
func settings(c *haproxyConfigCmd, app *apitypes.Application) (string, error) {
	in := balancer.Settings{Application: app.Name, Environment: c.Environment, Responder: c.Weights, Listen: c.Listen, Socket: c.Socket, State: c.State}
	known := false
	for _, e := range app.Environments {
		known = known || e.Name == c.Environment
	}
	if !known {
		return "", fmt.Errorf("%s has no environment %s: add it with hubledger apps environments add %s %s", app.Name, c.Environment, app.Name, c.Environment)
	}
	for _, one := range app.Services {
		if one.Role == "web" {
			in.Services = append(in.Services, balancer.Web{Name: one.Name, Blue: one.Blue, Green: one.Green, Probe: one.Probe, Host: one.Host})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Host)) {
		in.Hosts = append(in.Hosts, balancer.Host{Name: name, Address: c.Host[name]})
	}
	return balancer.Config(in)
}
