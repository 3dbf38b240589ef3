package inspect_test

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/services/api/inspect"
)

func TestInstruction(t *testing.T) {
	for line, want := range map[string]string{
		`/bin/sh -c #(nop)  CMD ["sh"]`:            `CMD ["sh"]`,
		`/bin/sh -c #(nop) ADD file:0123 in / `:    `ADD file:0123 in /`,
		`/bin/sh -c apt-get update`:                `RUN apt-get update`,
		`|2 A=1 B=2 /bin/sh -c make`:               `RUN make`,
		`RUN /bin/sh -c apk add curl # buildkit`:   `RUN apk add curl`,
		`RUN |1 A=1 /bin/sh -c make $A # buildkit`: `RUN make $A`,
		`COPY /out/web /web # buildkit`:            `COPY /out/web /web`,
		`bazel build ...`:                          `bazel build ...`,
		`RUN ["/x", "y"]`:                          `RUN ["/x", "y"]`,
		``:                                         ``,
	} {
		if got := inspect.Instruction(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestHistoryOfLayers(t *testing.T) {
	const config = `{"config":{"Env":["A=b"],"Labels":{"l":"v"},"ExposedPorts":{"80/tcp":{}}},"history":[
		{"created_by":"/bin/sh -c #(nop) ADD file:1 in /"},{"created_by":"ENV A=b","empty_layer":true},{"created_by":"RUN /bin/sh -c x # buildkit"}]}`
	c, made, err := inspect.Read([]byte(config), 2)
	if err != nil || fmt.Sprintf("%q", made) != `["ADD file:1 in /" "RUN x"]` || len(c.History) != 3 || c.History[1].Layer != -1 || c.History[2].Layer != 1 {
		t.Errorf("%q %+v %v", made, c, err)
	}
	// A history that has another number of layers says nothing about them.
	if _, made, _ := inspect.Read([]byte(config), 3); fmt.Sprintf("%q", made) != `["" "" ""]` {
		t.Errorf("%q", made)
	}
	if _, _, err := inspect.Read([]byte("no JSON"), 1); err == nil {
		t.Error("what is no JSON was read")
	}
	long, _, err := inspect.Read([]byte(`{"config":{"User":"`+strings.Repeat("x", 100_000)+`"}}`), 0)
	if err != nil || len(long.User) > 5000 {
		t.Errorf("a user of %d bytes, %v", len(long.User), err)
	}
}
