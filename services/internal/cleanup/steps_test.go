package cleanup

import (
	"errors"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
)

// Indexes that have their images in common are met image by image for each index, and no more
// often than is allowed.
func TestStepsAreBounded(t *testing.T) {
	const indexes, children = 30, 20
	var content images.Content
	var below []digest.Digest
	for i := range children {
		d := digest.FromString(fmt.Sprint("child ", i))
		below = append(below, d)
		content.Manifests = append(content.Manifests, images.ContentManifest{Digest: d})
	}
	for i := range indexes {
		content.Manifests = append(content.Manifests, images.ContentManifest{Digest: digest.FromString(fmt.Sprint("index ", i)), Children: below})
	}
	for left, enough := range map[steps]bool{indexes * (children + 1): true, indexes*(children+1) - 1: false, 0: false} {
		shares, of, err := roots(content, &left)
		if enough && (err != nil || len(shares) != indexes || len(of[below[0]]) != indexes) {
			t.Errorf("%d images, %d of them have the first child, %v", len(shares), len(of[below[0]]), err)
		}
		if !enough && (!errors.Is(err, errSteps) || shares != nil || of != nil) {
			t.Errorf("with too few steps: %d images, %v", len(shares), err)
		}
	}
}
