package evt

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/blockfile"
)

// ServerDir is where the embedded server of a data directory keeps its files.
func ServerDir(dir string) string { return filepath.Join(dir, "nats") }

// StreamDir is where the embedded server keeps one stream of its only account.
func StreamDir(dir, stream string) string {
	return filepath.Join(ServerDir(dir), "jetstream", "$G", "streams", stream)
}

// Blocks are the log's block files in a data directory, in order; none when it has no log.
func Blocks(dir string) ([]blockfile.Block, error) {
	return blockfile.List(StreamDir(dir, StreamName), StreamName)
}

// StoredConfig is the stream's configuration as its own files have it.
func StoredConfig(dir string) (jetstream.StreamConfig, error) {
	var config jetstream.StreamConfig
	data, err := os.ReadFile(filepath.Join(StreamDir(dir, StreamName), "meta.inf"))
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	return config, err
}
