package frame

import (
	"slices"

	"hubledger/services/internal/apitypes"
)

// maxRunning bounds how many places a page names.
const maxRunning = 10

// Running is where images of the repository of the page's address run, as far as the visitor may
// know: one place for each colour; with digests only those images. Nothing where the hub cannot say.
func Running(v *Visit, digests ...string) (list []apitypes.RunningImage) {
	if !v.SignedIn() {
		return nil
	}
	all, err := Get[apitypes.List[apitypes.RunningImage]](v, Path("repositories", v.Repo(), "running"), nil)
	if err != nil {
		return nil
	}
	for _, r := range all.Items {
		there := slices.ContainsFunc(list, func(o apitypes.RunningImage) bool {
			return o.Application == r.Application && o.Environment == r.Environment && o.Colour == r.Colour
		})
		if !there && (len(digests) == 0 || slices.Contains(digests, r.Digest)) && len(list) < maxRunning {
			list = append(list, r)
		}
	}
	return list
}
