package builds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/opencontainers/go-digest"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildcontext"
)

// A directory of this machine that is built on a hub.
type directory struct {
	api        *console.API
	path       string // as it was typed
	repository string
	ask        apitypes.BuildUploadRequest // Digest is that of the directory as it was sent last
	warned     bool                        // of what cannot be sent
}

// A packed directory is a file without a name, which goes when it is closed.
type packed struct {
	*os.File
	digest digest.Digest
	size   int64
	has    buildcontext.Packed
}

// build sends the directory as it is now, and queues a build of it.
func (d *directory) build() (apitypes.Build, error) {
	file, err := d.pack()
	if err != nil {
		return apitypes.Build{}, err
	}
	defer file.Close()
	if err := d.send(file); err != nil {
		return apitypes.Build{}, err
	}
	return d.queue(file.digest)
}

const leaveOut = "leave out what the build does not need, by a file .dockerignore in the directory"

// pack makes one file of the directory.
func (d *directory) pack() (*packed, error) {
	s := d.api.Session
	tree, err := buildcontext.Open(d.path, d.ask.Dockerfile)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "hubledger-build-")
	if err != nil {
		return nil, err
	}
	sum := digest.SHA256.Digester()
	p := &packed{File: file}
	err = os.Remove(file.Name())
	if err == nil {
		p.has, err = tree.Pack(s.Context, &bounded{io.MultiWriter(file, sum.Hash()), buildcontext.MaxFile}, buildcontext.DefaultLimits)
	}
	if err == nil {
		p.size, err = file.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	switch {
	case err == nil:
	case s.Context.Err() != nil:
		err = client.ErrInterrupted
	case errors.Is(err, buildcontext.ErrTooLarge):
		err = fmt.Errorf("%s cannot be sent: %w: %s", d.path, err, leaveOut)
	default:
		err = fmt.Errorf("%s cannot be sent: %w", d.path, err)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	p.digest = sum.Digest()
	if len(p.has.Skipped) > 0 && !d.warned {
		d.warned = true
		fmt.Fprintf(s.Err, "warning: not sent, because they are no files, directories or links: %s\n", strings.Join(p.has.Skipped[:min(len(p.has.Skipped), 5)], ", "))
	}
	return p, nil
}

// bounded fails behind so many bytes.
type bounded struct {
	io.Writer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, fmt.Errorf("%w: compressed it has more than %d MiB", buildcontext.ErrTooLarge, buildcontext.MaxFile>>20)
	}
	return b.Writer.Write(p)
}

// send pushes the directory to the repository, unless that has it.
func (d *directory) send(p *packed) error {
	s, what := d.api.Session, fmt.Sprintf("%s, %d files, %s", p.digest, p.has.Files, humanize.IBytes(uint64(p.has.Bytes)))
	has, err := d.api.HasBlob(d.repository, p.digest.String())
	if err != nil {
		return err
	}
	if has {
		fmt.Fprintf(s.Err, "The hub has the directory already: %s\n", what)
		return nil
	}
	bar := s.Bar("Sending the directory")
	err = d.api.PushBlob(d.repository, p.digest.String(), p.size, &counted{in: p.File, bar: bar, total: p.size})
	bar.End()
	if err == nil {
		fmt.Fprintf(s.Err, "Sent the directory: %s\n", what)
	}
	return err
}

// counted shows how much was read.
type counted struct {
	in          io.Reader
	bar         *console.Bar
	done, total int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.done += int64(n)
	c.bar.Set(c.done>>10, max(c.total>>10, 1), "KiB")
	return n, err
}

// queue queues a build of the directory as it was sent. An interruption does not end it
// half-way: whoever knows the build can cancel it.
func (d *directory) queue(sum digest.Digest) (apitypes.Build, error) {
	s := d.api.Session
	ctx, end := context.WithTimeout(context.WithoutCancel(s.Context), cancelWithin)
	defer end()
	d.ask.Digest = sum.String()
	v, err := console.Post[apitypes.Build](d.api.Within(ctx), client.RepositoryPath(d.repository)+"/builds", d.ask)
	return v, err
}
