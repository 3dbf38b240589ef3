package webtest

import (
	"fmt"
	"net/http"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server/servertest"
)

// FullName is the repository of AddFull, and FullTag the longest tag that there is.
var (
	FullName = "admin/" + strings.Repeat("a-group-with-a-long-name/", 3) + "an-application-whose-name-is-as-long-as-people-make-them"
	FullTag  = "v1.0.0-" + strings.Repeat("a_very.long-", 10) + "t"
)

// AddFull gives the town FullName, which has as much as a page may have to show: an image with 127
// layers and labels of 300 characters, the tag FullTag and so many others, all topics, and a README
// of 100 sections. It returns the image.
func (t *Town) AddFull(tags int) *registrytest.Image {
	t.T.Helper()
	layers, history := make([]string, 127), make([]string, 127)
	for k := range layers {
		layers[k] = strings.Repeat(fmt.Sprint("layer ", k, "\n"), 1+k*k%997)
		history[k] = fmt.Sprintf(`{"created_by":"RUN /bin/sh -c apt-get install -y --no-install-recommends package-%d another-package-%d && rm -rf /var/lib/apt/lists/* # buildkit"}`, k, k)
	}
	long := strings.Repeat("long ", 60)
	config := fmt.Sprintf(`{"os":"linux","architecture":"arm64","variant":"v8","created":"2026-11-29T12:00:00Z","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","TEXT=%[1]s"],
		"Entrypoint":["/usr/local/bin/docker-entrypoint","--config","%[1]s"],"Labels":{"org.opencontainers.image.description":"%[1]s","without.a.space":"%[2]s"},"ExposedPorts":{"80/tcp":{},"443/tcp":{}}},"history":[%[3]s]}`,
		long, strings.Repeat("x", 300), strings.Join(history, ","))
	image := registrytest.With(func(m *v1.Manifest) {
		m.Config = registrytest.Layer(config)
		m.Config.MediaType = v1.MediaTypeImageConfig
		m.Annotations = map[string]string{"org.opencontainers.image.description": long}
	}, layers...)
	image.Blobs[0] = config
	t.Client().MustPush(t.T, FullName, FullTag, image)
	t.CatchUp()
	d, err := t.Accounts().Repository(t.T.Context(), FullName)
	t.fatal(err)
	for k := range tags {
		_, err := command.Append(t.T.Context(), t.Log(), servertest.By, events.ImageTagged{Namespace: d.Namespace, Repository: d.ID, Tag: fmt.Sprintf("1.%d.%d", k/100, k%100), Digest: image.Digest()}, events.AnySeq)
		t.fatal(err)
	}
	topics := make([]string, 20)
	for k := range topics {
		topics[k] = fmt.Sprintf("a-topic-with-a-long-name-%d", k)
	}
	t.CatchUp()
	t.Call(http.MethodPatch, "/repositories/"+FullName, map[string]any{"description": strings.Repeat("words and ", 10), "topics": topics,
		"readme": strings.Repeat("## A section\n\nSome text with `code` and a [link](docs/page.md).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n    docker run --rm --volume /var/lib/data:/data --env SETTING=value hub.test:5050/admin/app\n\n", 100)})
	t.CatchUp()
	return image
}
