package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"hubledger/services/internal/gitremote"
)

const (
	lfsType  = "application/vnd.git-lfs+json"
	lfsBatch = 100 // files that are asked for at once
	maxBatch = 4 << 20
)

// lfs replaces pointers by their files (git-lfs, docs/api). Pointers come from
// inside the cage: they are checked, and so is what the host sends.
func (f *Fetcher) lfs(ctx context.Context, dir string, s Source, list []pointer, l Limits) error {
	if len(list) == 0 {
		return nil
	}
	if s.URL.Scheme == "ssh" {
		return fmt.Errorf("%w: over SSH it is not supported: link the repository by its https URL", ErrLFS)
	}
	left := l.Bytes
	for _, p := range list {
		if left -= p.Size; p.Size < 0 || left < 0 {
			return fmt.Errorf("%w: its files of Git LFS have more than %d MiB", ErrTooLarge, l.Bytes>>20)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	client := f.Guard.NewClient()
	defer client.CloseIdleConnections()
	for len(list) > 0 {
		part := list[:min(lfsBatch, len(list))]
		list = list[len(part):]
		actions, err := askLFS(ctx, client, s, part)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrLFS, err)
		}
		for _, p := range part {
			if err := download(ctx, client, root, p, actions[p.OID]); err != nil {
				return fmt.Errorf("%w: %.200q: %w", ErrLFS, p.Path, err)
			}
		}
	}
	return nil
}

// An action says where a file is.
type action struct {
	Href   string
	Header map[string]string
}

// askLFS asks for the places of files, by their ids.
func askLFS(ctx context.Context, client *http.Client, s Source, list []pointer) (map[string]action, error) {
	type object struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	}
	var question struct {
		Operation string   `json:"operation"`
		Transfers []string `json:"transfers"`
		Objects   []object `json:"objects"`
	}
	question.Operation, question.Transfers = "download", []string{"basic"}
	for _, p := range list {
		question.Objects = append(question.Objects, object{p.OID, p.Size})
	}
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(s.URL.String(), "/")
	if !strings.HasSuffix(base, ".git") {
		base += ".git"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/info/lfs/objects/batch", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", lfsType)
	req.Header.Set("Content-Type", lfsType)
	if s.With.Password != "" {
		req.SetBasicAuth(s.With.User, s.With.Password)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, cause(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, gitremote.ErrCredentials
	default:
		return nil, fmt.Errorf("the git host answered %.100q", resp.Status)
	}
	var answer struct {
		Objects []struct {
			OID     string
			Actions struct{ Download action }
			Error   struct{ Message string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBatch)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("the git host's answer: %w", err)
	}
	actions := map[string]action{}
	for _, o := range answer.Objects {
		if o.Error.Message != "" {
			return nil, fmt.Errorf("%.80s: the git host says %.200q", o.OID, o.Error.Message)
		}
		actions[o.OID] = o.Actions.Download
	}
	return actions, nil
}

// download writes the file over its pointer.
func download(ctx context.Context, client *http.Client, root *os.Root, p pointer, a action) error {
	if a.Href == "" {
		return errors.New("the git host does not have it")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Href, nil)
	if err != nil {
		return errors.New("the git host gives no URL for it") // the error may show a signature
	}
	for name, value := range a.Header {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return cause(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the host of the file answered %.100q", resp.Status)
	}
	file, err := root.OpenFile(p.Path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(resp.Body, p.Size+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if n != p.Size || hex.EncodeToString(sum.Sum(nil)) != p.OID {
		return errors.New("what was sent is another file")
	}
	return nil
}
