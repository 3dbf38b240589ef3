package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A pointer stands in git for a file of Git LFS.
type pointer struct {
	Path string // within the checkout
	OID  string // SHA-256 of the file, in hex
	Size int64
}

// pointerText is what a pointer's file has (git-lfs, docs/spec.md). Lines of
// extensions may stand between.
var pointerText = regexp.MustCompile(`^version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,15})\n$`)

const (
	maxPointers = 4000
	maxPointer  = 1024 // bytes
)

// pointers are the files that the attributes of the repository give to Git LFS.
func (g git) pointers() (list []pointer, err error) {
	files, err := g.run("ls-files", "-z")
	if err != nil || files == "" {
		return nil, err
	}
	out, err := g.runWith(files, "check-attr", "-z", "--stdin", "filter")
	if err != nil {
		return nil, err
	}
	fields := strings.Split(out, "\x00") // path, attribute, value
	for k := 0; k+2 < len(fields); k += 3 {
		if fields[k+2] != "lfs" {
			continue
		}
		path := filepath.Join(g.dir, fields[k])
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxPointer {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		m := pointerText.FindSubmatch(text)
		if m == nil {
			continue
		}
		if len(list) == maxPointers {
			return nil, errors.New("there are more than " + fmt.Sprint(maxPointers) + " files of Git LFS")
		}
		size, _ := strconv.ParseInt(string(m[2]), 10, 64)
		list = append(list, pointer{fields[k], string(m[1]), size})
	}
	return list, nil
}
