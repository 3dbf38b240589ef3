package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
)

// A refused index names twenty of the manifests that it lacks, and says how many
// more there are.
func TestErrorsAreBounded(t *testing.T) {
	hub := registrytest.Start(t, registrytest.Config{})
	index := v1.Index{MediaType: v1.MediaTypeImageIndex}
	index.SchemaVersion = 2
	for k := range 500 {
		d := registrytest.Layer(fmt.Sprint("child ", k))
		d.MediaType = v1.MediaTypeImageManifest
		index.Manifests = append(index.Manifests, d)
	}
	a := hub.Client().Must(t, "PUT", "/v2/app/manifests/1.0", registrytest.JSON(index), "Content-Type", v1.MediaTypeImageIndex)
	var body struct{ Errors []struct{ Message string } }
	if err := json.Unmarshal(a.Body, &body); err != nil || a.Status != 400 && a.Status != 404 {
		t.Fatalf("%d, %v", a.Status, err)
	}
	if n := len(body.Errors); n != 21 || !strings.Contains(body.Errors[20].Message, "and 480 more") {
		t.Errorf("%d errors, the last is %+v", n, body.Errors[n-1])
	}
}
