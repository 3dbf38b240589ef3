package account_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/services/internal/account"
)

func TestPasswords(t *testing.T) {
	for _, good := range []string{"12345678", strings.Repeat("x", 256), strings.Repeat("ä", 256), "pässwörter", "hunter2 hunter2", "hlt-12345"} {
		if err := account.CheckPassword("alice", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "1234567", strings.Repeat("x", 257), "alice-in-wonderland", "Alice-in-Wonderland", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "hlt_12345678"} {
		if err := account.CheckPassword("alice-in-wonderland", bad); !errors.Is(err, account.ErrInvalid) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
