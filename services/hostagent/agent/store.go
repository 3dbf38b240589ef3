package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"hubledger/services/internal/durable"
	"hubledger/services/internal/hosting"
)

// stateFile has what the host is to run. It has values of secrets, which containers get.
const stateFile = "state.json"

// errLower: the hub asks for a state that is older than what the host has acted upon.
var errLower = errors.New("it is older than what this host has acted upon")

// kept is what is on the disk.
type kept struct {
	State hosting.State `json:"state"`
	// Fences are the highest ones of each slot that the host has acted upon, of the
	// generation of State.
	Fences map[string]uint64 `json:"fences,omitempty"`
	// Pulled are the images that the agent has pulled itself: NAME@DIGEST.
	Pulled []string `json:"pulled,omitempty"`
}

// A store keeps what the host is to run.
type store struct {
	file   string
	logger *slog.Logger

	mu   sync.Mutex
	kept kept
}

// openStore reads what is on the disk. What cannot be read is put aside: then the labels
// of containers say up to which fence the host has acted.
func openStore(dir string, logger *slog.Logger) (*store, error) {
	s := &store{file: filepath.Join(dir, stateFile), logger: logger}
	err := s.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		aside := s.file + ".broken"
		logger.Error("the state on the disk cannot be read, and is put aside: the hub is asked anew", "file", s.file, "aside", aside, "error", err)
		s.kept = kept{}
		if err := os.Rename(s.file, aside); err != nil {
			return nil, err
		}
	}
	if s.kept.Fences == nil {
		s.kept.Fences = map[string]uint64{}
	}
	return s, nil
}

// sealed is the file: what is kept, and its SHA-256.
type sealed struct {
	Sum  string          `json:"sum"`
	Kept json.RawMessage `json:"kept"`
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (s *store) read() error {
	text, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	var file sealed
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	if file.Sum != sumOf(file.Kept) {
		return errors.New("its checksum is another")
	}
	return json.Unmarshal(file.Kept, &s.kept)
}

// write puts it on the disk before it counts. Call it with mu held.
func (s *store) write(k kept) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	file, err := json.Marshal(sealed{sumOf(text), text})
	if err != nil {
		return err
	}
	if err := durable.ReplaceFile(s.file, file, 0o600); err != nil {
		return fmt.Errorf("what is to run here cannot be stored: %w", err)
	}
	s.kept = k
	return nil
}

// state is what the host is to run. It is for reading.
func (s *store) state() hosting.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.State
}

// accept stores a state of the hub. An older one of the same generation is refused, and
// so is a slot that is older than what the host has acted upon: that stays as it is.
func (s *store) accept(next hosting.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.kept.State
	same := next.Generation == now.Generation
	if same && next.Epoch < now.Epoch {
		return fmt.Errorf("epoch %d: %w, %d", next.Epoch, errLower, now.Epoch)
	}
	fences := map[string]uint64{}
	if same {
		fences = cloned(s.kept.Fences)
	}
	slots := make([]hosting.Slot, 0, len(next.Slots))
	for _, slot := range next.Slots {
		if slot.Fence >= fences[slot.ID] {
			fences[slot.ID] = slot.Fence
			slots = append(slots, slot)
			continue
		}
		s.logger.Error("a slot is refused", "slot", slot.ID, "fence", slot.Fence, "error", errLower)
		if k := slices.IndexFunc(now.Slots, func(old hosting.Slot) bool { return old.ID == slot.ID }); k >= 0 {
			slots = append(slots, now.Slots[k])
		}
	}
	var gone []hosting.Gone
	for _, g := range next.Gone {
		if g.Fence >= fences[g.ID] {
			fences[g.ID] = g.Fence
			gone = append(gone, g)
			continue
		}
		s.logger.Error("a removal is refused", "slot", g.ID, "fence", g.Fence, "error", errLower)
		if k := slices.IndexFunc(now.Slots, func(old hosting.Slot) bool { return old.ID == g.ID }); k >= 0 {
			slots = append(slots, now.Slots[k])
		}
	}
	next.Slots, next.Gone = slots, gone
	return s.write(kept{next, fences, s.kept.Pulled})
}

// pulls takes note of an image, before it is pulled; forgets after it is removed.
func (s *store) pulls(image string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.kept.Pulled, image) {
		return nil
	}
	now := s.kept
	now.Pulled = append(slices.Clone(now.Pulled), image)
	return s.write(now)
}

func (s *store) forgets(image string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.kept
	now.Pulled = slices.DeleteFunc(slices.Clone(now.Pulled), func(one string) bool { return one == image })
	return s.write(now)
}

// pulled are the images that the agent has pulled itself.
func (s *store) pulled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept.Pulled)
}

func cloned(of map[string]uint64) map[string]uint64 {
	out := make(map[string]uint64, len(of))
	for k, v := range of {
		out[k] = v
	}
	return out
}
