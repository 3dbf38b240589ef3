package fetch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// How the program that git takes for ssh says what it wants, and is answered.
const (
	headerUser     = "Git-User"
	headerPath     = "Git-Path"
	headerProtocol = "Git-Protocol"
)

// connect does what ssh does for git: it takes the arguments
// [-o option] [-p port] [user@]host command.
func connect(args []string, protocol string, in io.Reader, out io.Writer) error {
	port := ""
	for len(args) > 2 && strings.HasPrefix(args[0], "-") {
		switch {
		case args[0] == "-o" || args[0] == "-p":
			if args[0] == "-p" {
				port = ":" + args[1]
			}
			args = args[2:]
		default: // -4, -6
			args = args[1:]
		}
	}
	if len(args) != 2 {
		return errors.New("ssh: a host and a command are needed")
	}
	user, host, found := strings.Cut(args[0], "@")
	if !found {
		user, host = "", args[0]
	}
	quoted, ok := strings.CutPrefix(args[1], "git-upload-pack ")
	path, err := unquote(quoted)
	if !ok || err != nil {
		return errors.New("ssh: only git-upload-pack is run")
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	req, err := http.NewRequest(http.MethodConnect, "http://"+address, nil)
	if err != nil {
		return err
	}
	req.Host = host + port
	req.URL.Host, req.URL.Opaque = req.Host, req.Host
	for name, value := range map[string]string{headerUser: user, headerPath: path, headerProtocol: protocol} {
		req.Header.Set(name, value)
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answers, req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("ssh: %s", text)
	}
	go func() {
		io.Copy(conn, in)
		conn.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(out, answers)
	return err
}

// unquote undoes what git does to a path for a shell: '…', with ' as '\” and ! as '\!'.
func unquote(text string) (path string, err error) {
	quoted := false
	for k := 0; k < len(text); k++ {
		switch c := text[k]; {
		case c == '\'':
			quoted = !quoted
		case c == '\\' && !quoted && k+1 < len(text):
			k++
			path += string(text[k])
		case !quoted:
			return "", errors.New("it is not one quoted word")
		default:
			path += string(c)
		}
	}
	if quoted || path == "" {
		return "", errors.New("it is not one quoted word")
	}
	return path, nil
}
