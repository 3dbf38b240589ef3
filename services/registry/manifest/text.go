package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Bounds of a manifest's text, checked before anything is made of it.
const (
	// maxDescriptors bounds how many blobs and manifests a manifest names: each is
	// looked up.
	maxDescriptors = 10_000
	// maxTokens is what so many descriptors have, with platform and annotations.
	maxTokens = 25 * maxDescriptors
	// maxDepth is twice what the image-spec needs.
	maxDepth = 16
)

// checkJSON reads a manifest token by token. It refuses one that has too much in
// it, and one in which an object has a key twice: parsers differ on which of
// them counts, so that what is checked here is not what a client runs. Go's
// takes keys without regard to case where it knows their names, which is
// everywhere but in annotations. Text that is not JSON at all is left to the
// parser, which says what is wrong with it.
func checkJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var open []container
	for tokens, named := 0, 0; ; tokens++ {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		if tokens > maxTokens {
			return invalid(fmt.Sprintf("a manifest has at most %d values, keys and brackets", maxTokens))
		}
		var in *container
		if len(open) > 0 {
			in = &open[len(open)-1]
		}
		delim, _ := token.(json.Delim)
		switch {
		case delim == '}' || delim == ']':
			open = open[:len(open)-1]
			if len(open) == 0 {
				return nil
			}
			continue
		case in != nil && in.wantsKey():
			key, _ := token.(string)
			if !in.add(key) {
				return invalid(fmt.Sprintf("key %.50q is in one object of the manifest twice", key))
			}
			continue
		case in != nil && in.keys == nil && len(open) == 2:
			if named++; named > maxDescriptors {
				return tooManyDescriptors()
			}
		}
		if in != nil {
			in.value = false
		}
		switch delim {
		case '{', '[':
			if len(open) == maxDepth {
				return invalid(fmt.Sprintf("a manifest is nested at most %d deep", maxDepth))
			}
			next := container{exact: in != nil && in.keys != nil && in.last == "annotations"}
			if delim == '{' {
				next.keys = map[string]bool{}
			}
			open = append(open, next)
		default:
			if len(open) == 0 {
				return nil // not an object
			}
		}
	}
}

// A container is an object, or an array, which has no keys.
type container struct {
	keys  map[string]bool
	last  string // the latest key
	value bool   // the value of last comes next
	exact bool   // keys of another case are other keys
}

func (c *container) wantsKey() bool { return c.keys != nil && !c.value }

// add notes a key; false when it is there already.
func (c *container) add(key string) bool {
	c.last, c.value = key, true
	if !c.exact {
		key = strings.ToLower(strings.ToUpper(key)) // also of letters with two lower cases
	}
	if c.keys[key] {
		return false
	}
	c.keys[key] = true
	return true
}

func tooManyDescriptors() error {
	return invalid(fmt.Sprintf("a manifest names at most %d blobs or manifests", maxDescriptors))
}
