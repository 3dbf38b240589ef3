package frame

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// assets are the style sheet, the script and the icon. Their addresses have a part of their
// content's hash, so that browsers keep them for ever.
type assets struct {
	files   map[string]asset // by the name in the address
	address map[string]string
}

type asset struct {
	content []byte
	kind    string
}

func readAssets() *assets {
	a := &assets{files: map[string]asset{}, address: map[string]string{}}
	entries, err := fs.ReadDir(views, "assets")
	if err != nil {
		panic(fmt.Errorf("the embedded assets: %w", err))
	}
	for _, e := range entries {
		content, err := fs.ReadFile(views, "assets/"+e.Name())
		if err != nil {
			panic(fmt.Errorf("the embedded assets: %w", err))
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "-" + hex.EncodeToString(sum[:6]) + ext
		a.files[name] = asset{content, mime.TypeByExtension(ext)}
		a.address[e.Name()] = "/assets/" + name
	}
	return a
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	file, ok := a.files[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Vary", "Accept-Encoding")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // an SVG that is opened by itself
	send(w, r, http.StatusOK, file.content)
}
