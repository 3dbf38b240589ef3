package registrytest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"strings"
)

// TarLayer is a layer of these files, packed by gzip: names and contents in turn. A name
// that ends in a slash is a directory.
func TarLayer(files ...string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for k := 0; k+1 < len(files); k += 2 {
		h := &tar.Header{Name: files[k], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[k+1])), Format: tar.FormatPAX}
		if strings.HasSuffix(h.Name, "/") {
			h.Typeflag, h.Mode, h.Size = tar.TypeDir, 0o755, 0
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte(files[k+1]))
		}
		if err != nil {
			panic(err) // a name that cannot be written is a fault of the test
		}
	}
	w.Close() // to memory: they do not fail
	z.Close()
	return b.String()
}
