package images_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

// configured is an image with this config and one layer for each line of its history.
func configured(config string, layers ...string) *registrytest.Image {
	i := registrytest.With(func(m *v1.Manifest) {
		m.Config = registrytest.Layer(config)
		m.Config.MediaType = v1.MediaTypeImageConfig
		m.Annotations = map[string]string{webtest.Hostile: webtest.Hostile}
	}, layers...)
	i.Blobs[0] = config
	return i
}

func TestImagePage(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	hostile, err := json.Marshal(webtest.Hostile)
	if err != nil {
		t.Fatal(err)
	}
	image := configured(strings.ReplaceAll(`{"os":"linux","architecture":"arm64","created":"1970-01-01T00:00:00Z","config":{"Env":["A=b",H],"User":H,"Entrypoint":["/app",H],"Labels":{"l":H,"k":"v"},"ExposedPorts":{"80/tcp":{}}},
		"history":[{"created_by":"/bin/sh -c #(nop) ADD file:1 in /"},{"created_by":H,"empty_layer":true},{"created_by":"RUN /bin/sh -c make # buildkit"}]}`, "H", string(hostile)), "one", "a second layer")
	client.MustPush(t, "admin/app", "2.0", image)
	amd := town.App
	index := registrytest.NewIndex(amd, image)
	var list v1.Index
	if err := json.Unmarshal(index.Manifest, &list); err != nil {
		t.Fatal(err)
	}
	attestation := registrytest.NewImage("attestation")
	client.MustPush(t, "admin/app", "", attestation)
	list.Manifests[0].Platform, list.Manifests[1].Platform = &v1.Platform{OS: "linux", Architecture: "amd64"}, &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	d := attestation.Descriptor()
	d.Platform, d.Annotations = &v1.Platform{OS: "unknown", Architecture: "unknown"}, map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest().String()}
	list.Manifests = append(list.Manifests, d)
	index.Manifest = registrytest.JSON(list)
	client.MustPush(t, "admin/app", "all", index)
	of := image.Descriptor()
	client.MustPush(t, "admin/app", "", registrytest.With(func(m *v1.Manifest) {
		m.ArtifactType, m.Subject, m.Annotations = "application/spdx+json", &of, map[string]string{"note": webtest.Hostile}
	}, "an SBOM"))
	chart := registrytest.With(func(m *v1.Manifest) { m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json" }, "chart")
	client.MustPush(t, "admin/app", "0.1.0", chart)
	town.CatchUp()

	at := func(i *registrytest.Image) string { return "/r/admin/app/-/images/" + i.Digest().String() }
	town.Nobody.Get(at(image)).Is(http.StatusNotFound)
	town.Bob.Get(at(image)).Is(http.StatusNotFound)
	town.Admin.Get("/r/admin/app/-/images/sha256:00").Is(http.StatusUnprocessableEntity)
	town.Admin.Get("/r/admin/open/-/images/" + image.Digest().String()).Is(http.StatusNotFound)

	town.Admin.Get(at(image)).Is(http.StatusOK).Says("Image for linux/arm64", "ADD file:1 in /", "RUN make", "not recorded (reproducible)", "A=b", webtest.Hostile, "80/tcp", "SBOM", "Attestation (BuildKit)", "only here").
		Lacks("<script>alert", "<img src=x")
	a := town.Admin.Get(at(index)).Is(http.StatusOK).Says("Index of images", "linux/amd64 shown below, by default", "linux/arm64/v8").Lacks("unknown/unknown", "RUN make")
	if !strings.Contains(a.Text, "?platform=linux%2farm64%2fv8#layers") {
		t.Error("there is no link to the other platform")
	}
	town.Admin.Get(at(index)+"?platform=linux/arm64/v8").Is(http.StatusOK).Says("linux/arm64/v8 shown below", "RUN make", "SBOM")
	town.Admin.Get(at(chart)).Is(http.StatusOK).Says("Helm chart", "helm pull oci://").Lacks("docker pull", "How it runs")
	town.Admin.Get("/r/admin/app/-/tags").Is(http.StatusOK).Says("Helm chart", "linux/arm64/v8", "build time not recorded").Lacks("unknown/unknown")

	town.Admin.Get("/r/admin/app/-/tags/2.0").Is(http.StatusOK).Says("Built not recorded (reproducible)")
	town.Admin.Get("/r/admin/app/-/tags/1.0").Is(http.StatusOK).Says("Built not recorded").Lacks("reproducible")

	// What a repository has is fetched by the tool for that.
	note := registrytest.With(func(m *v1.Manifest) { m.ArtifactType = "application/vnd.example.note" }, "note")
	client.MustPush(t, "admin/charts", "0.1.0", chart)
	client.MustPush(t, "admin/notes", "v1", note)
	town.CatchUp()
	host := strings.TrimPrefix(town.URL, "http://")
	town.Admin.Get("/r/admin/charts").Is(http.StatusOK).Says("helm pull oci://" + host + "/admin/charts --version 0.1.0").Lacks("docker pull")
	town.Admin.Get("/r/admin/notes/-/tags/v1").Is(http.StatusOK).Says("oras pull "+host+"/admin/notes:v1").Lacks("docker pull", "Podman")
}
