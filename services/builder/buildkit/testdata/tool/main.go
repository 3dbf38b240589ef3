// The program tool is all that test images hold. As /bin/sh it takes the words
// behind -c.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "sh" && len(args) == 2 {
		args = strings.Fields(args[1])
	}
	if err := run(args[0], args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func run(what string, args []string) error {
	switch what {
	case "echo":
		fmt.Println(strings.Join(args, " "))
	case "write":
		return os.WriteFile(args[0], []byte(strings.Join(args[1:], " ")), 0o644)
	case "cat":
		text, err := os.ReadFile(args[0])
		os.Stdout.Write(text)
		return err
	case "env":
		fmt.Println(os.Getenv(args[0]))
	case "exit":
		code, _ := strconv.Atoi(args[0])
		os.Exit(code)
	case "hang":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		fmt.Println("hanging")
		if len(args) > 0 { // in a process of its own as well
			child := exec.Command("/proc/self/exe", "hang")
			child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			child.Start()
		}
		for {
			time.Sleep(time.Hour)
		}
	case "fill":
		f, err := os.Create(args[0])
		if err != nil {
			return err
		}
		block := bytes.Repeat([]byte{0xa5}, 1<<20)
		for {
			if _, err := f.Write(block); err != nil {
				return err
			}
		}
	case "eat":
		var all [][]byte
		for {
			block := make([]byte, 1<<20)
			for k := range block {
				block[k] = byte(k)
			}
			all = append(all, block)
		}
	case "bomb":
		return bomb()
	case "dial":
		c, err := net.DialTimeout("tcp", args[0], 2*time.Second)
		if err != nil {
			return err
		}
		c.Close()
		fmt.Println("connected")
	case "work":
		d, err := time.ParseDuration(args[0])
		for until := time.Now().Add(d); time.Now().Before(until); {
		}
		return err
	case "get", "via": // via the proxy, also to loopback addresses
		client := http.Client{}
		if what == "via" {
			proxy, err := url.Parse(os.Getenv("HTTP_PROXY"))
			if err != nil {
				return err
			}
			client.Transport = &http.Transport{Proxy: http.ProxyURL(proxy)}
		}
		resp, err := client.Get(args[0])
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		fmt.Print(resp.Status, " ")
		io.Copy(os.Stdout, io.LimitReader(resp.Body, 1000))
	case "scan": // as BuildKit has scanners do it
		return scan(os.Getenv("BUILDKIT_SCAN_SOURCE"), os.Getenv("BUILDKIT_SCAN_DESTINATION"))
	case "clock":
		for range 20 {
			fmt.Println(time.Now().UnixNano())
			time.Sleep(50 * time.Millisecond)
		}
	case "flood":
		n, _ := strconv.Atoi(args[0])
		line := []byte(strings.Repeat("x", 99) + "\n")
		for range n / 100 {
			os.Stdout.Write(line)
		}
	default:
		return fmt.Errorf("the tool knows no %q", what)
	}
	return nil
}

// scan writes an SBOM of the files in a directory.
func scan(source, destination string) error {
	type file struct {
		Name string `json:"fileName"`
		ID   string `json:"SPDXID"`
	}
	var files []file
	err := filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, file{strings.TrimPrefix(path, source), fmt.Sprintf("SPDXRef-File-%d", len(files))})
		}
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
		"predicate": map[string]any{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "scanned", "dataLicense": "CC0-1.0", "documentNamespace": "https://hub.test/scanned",
			"creationInfo": map[string]any{"created": "2026-11-29T00:00:00Z", "creators": []string{"Tool: tool"}}, "files": files}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(destination, filepath.Base(source)+".spdx.json"), text, 0o644)
}

// bomb starts itself until it cannot any more, and each of these does so too.
func bomb() error {
	for {
		child := exec.Command("/proc/self/exe", "bomb")
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			return fmt.Errorf("fork: %w", err)
		}
	}
}
