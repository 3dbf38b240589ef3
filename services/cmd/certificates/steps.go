package certificates

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"

	"hubledger/services/cmd/console"
)

// A clientStep says what one kind of client needs to trust the authority.
type clientStep struct {
	Client  string   `json:"client"`
	CA      string   `json:"ca,omitempty"`      // where the authority's certificate goes
	File    string   `json:"file,omitempty"`    // another file to write
	Content string   `json:"content,omitempty"` // of that file
	Then    []string `json:"then,omitempty"`    // commands
	Note    string   `json:"note,omitempty"`
}

// reference is the host as written in image names: without the port if it is
// 443, which https implies.
func reference(host string, port uint16) string {
	if port == 443 && !strings.Contains(host, ":") {
		return host
	}
	return net.JoinHostPort(host, fmt.Sprint(port))
}

// clientSteps says what to install on the machines that reach the hub as ref.
func clientSteps(ref string) []clientStep {
	containerd := clientStep{
		CA:   "/etc/containerd/certs.d/" + ref + "/ca.crt",
		File: "/etc/containerd/certs.d/" + ref + "/hosts.toml",
		Content: fmt.Sprintf("server = \"https://%s\"\n\n[host.\"https://%s\"]\n  capabilities = [\"pull\", \"resolve\", \"push\"]\n  ca = \"/etc/containerd/certs.d/%s/ca.crt\"\n",
			ref, ref, ref),
	}
	onNode := containerd
	containerd.Client = "containerd, nerdctl"
	containerd.Note = `containerd 1.x reads the folder only if config.toml names it: config_path = "/etc/containerd/certs.d"; ctr needs --hosts-dir /etc/containerd/certs.d`
	onNode.Client = "Kubernetes (each node, with containerd)"
	onNode.Then = []string{"kubectl create secret docker-registry hubledger --docker-server=" + ref + " --docker-username=ORG+ROBOT --docker-password=TOKEN"}
	onNode.Note = `name the secret in the pod: imagePullSecrets: [{name: hubledger}]`
	return []clientStep{
		{Client: "docker", CA: "/etc/docker/certs.d/" + ref + "/ca.crt", Then: []string{"docker login " + ref}, Note: "no restart is needed"},
		containerd,
		{Client: "podman, skopeo, buildah", CA: "/etc/containers/certs.d/" + ref + "/ca.crt"},
		onNode,
		{Client: "everything else: the system's trust store (Debian, Ubuntu)", CA: "/usr/local/share/ca-certificates/hubledger.crt", Then: []string{"update-ca-certificates"}},
		{Client: "everything else: the system's trust store (Fedora, RHEL)", CA: "/etc/pki/ca-trust/source/anchors/hubledger.crt", Then: []string{"update-ca-trust"}},
		{Client: "this command line", CA: "ca.crt", Then: []string{"hubledger login https://" + ref + " --ca ca.crt"}},
	}
}

// serveLine is the command that runs the hub with a certificate.
func serveLine(s *console.Session, port uint16, f fileSet) string {
	return fmt.Sprintf("%s serve --listen 0.0.0.0:%d --tls-cert %s --tls-key %s", s.Program(), port, shellWord(f.cert), shellWord(f.key))
}

func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n\"'\\$`&|;<>()*?[]#~!{}", r) }) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// explain prints the result of tls init for people.
func (m *result) explain(w io.Writer, renewed bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Server certificate for %s, valid until %s:\n  %s\n  %s\n", strings.Join(m.Hosts, ", "), m.Until.Format(time.DateOnly), m.Cert, m.Key)
	if renewed {
		fmt.Fprintf(&b, "A running hub serves it from the next connection on. Clients need no change.\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "Certificate authority:\n  %s  for the clients\n  %s  only for `hubledger tls init --renew`: anyone who has it can impersonate the hub, so keep it elsewhere if you can\n", m.CA, m.CAKey)
	fmt.Fprintf(&b, "\nRun the hub with it:\n  %s\n\nOn the other machines, copy %s to where each client looks for it:\n", m.Serve, filepath.Base(m.CA))
	for _, step := range m.Client {
		fmt.Fprintf(&b, "\n%s\n  %s\n", step.Client, step.CA)
		if step.File != "" {
			fmt.Fprintf(&b, "  %s:\n", step.File)
			for line := range strings.Lines(step.Content) {
				fmt.Fprintf(&b, "      %s", line)
			}
		}
		for _, command := range step.Then {
			fmt.Fprintf(&b, "  $ %s\n", command)
		}
		if step.Note != "" {
			fmt.Fprintf(&b, "  (%s)\n", step.Note)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
