package leases

import "testing"

func TestDamagedIsRemembered(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		a, b := blob("a"), blob("b")
		check(t, s.MarkDamaged(t.Context(), a, "it is\x00 else"))
		check(t, s.MarkDamaged(t.Context(), a, "again"))
		check(t, s.MarkDamaged(t.Context(), b, "unreadable"))
		check(t, s.ClearDamaged(t.Context(), b))
		found, err := reopen().Damaged(t.Context())
		check(t, err)
		if len(found) != 1 || found[0].Digest != a || found[0].Problem != "it is\uFFFD else" || found[0].Since.IsZero() {
			t.Fatalf("damaged: %v", found)
		}
	})
}
