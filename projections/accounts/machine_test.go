package accounts_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// machinesStory has a machine that was invited, one that has enrolled, one that was
// revoked, and one whose name was given again.
func machinesStory() []events.Payload {
	invited := func(n int, name string) events.MachineInvited {
		sum := sha256.Sum256([]byte(name))
		return events.MachineInvited{Machine: id(n), Name: name, Kind: events.MachineBuilder, Hash: sum[:], Expires: minute(100)}
	}
	enrolled := func(n int, name string) events.MachineEnrolled {
		return events.MachineEnrolled{Machine: id(n), Name: name, Kind: events.MachineBuilder, Key: "U" + name}
	}
	return []events.Payload{invited(901, "waits"), invited(902, "works"), enrolled(902, "works"), invited(903, "gone"), enrolled(903, "gone"),
		events.MachineRevoked{Machine: id(903), Name: "gone", Kind: events.MachineBuilder}, invited(904, "gone")}
}

// Machines are found by what they show: a token until they enroll, and then their key,
// until they are revoked.
func TestMachines(t *testing.T) {
	onEach(t, machinesStory(), func(t *testing.T, r accounts.Reader) {
		list, err := r.Machines(t.Context(), events.MachineBuilder, minute(50))
		check(t, err)
		if len(list) != 3 || list[0].ID != id(904) || list[1].Name != "waits" || list[2].State != accounts.MachineEnrolled || list[2].Since != minute(3) || list[1].Expires != minute(100) {
			t.Errorf("there are %+v", list)
		}
		if list, err = r.Machines(t.Context(), events.MachineBuilder, minute(101)); err != nil || len(list) != 1 {
			t.Errorf("when the invitations have expired, there are %+v, %v", list, err)
		}
		if list, err = r.Machines(t.Context(), "other", minute(50)); err != nil || len(list) != 0 {
			t.Errorf("of another kind there are %+v, %v", list, err)
		}
		for key, want := range map[string]string{"Uworks": id(902), "Ugone": "", "Uwaits": "", "": ""} {
			if m, err := r.MachineByKey(t.Context(), key); want == "" && !errors.Is(err, accounts.ErrNotFound) || want != "" && (err != nil || m.ID != want) {
				t.Errorf("by the key %q: %+v, %v", key, m, err)
			}
		}
		for name, want := range map[string]string{"waits": id(901), "works": "", "gone": id(904)} {
			sum := sha256.Sum256([]byte(name))
			if m, err := r.MachineByToken(t.Context(), sum[:]); want == "" && !errors.Is(err, accounts.ErrNotFound) || want != "" && (err != nil || m.ID != want) {
				t.Errorf("by the token of %s: %+v, %v", name, m, err)
			}
		}
		if m, err := r.MachineByToken(t.Context(), []byte{}); !errors.Is(err, accounts.ErrNotFound) {
			t.Errorf("by no token: %+v, %v", m, err)
		}
		if m, err := r.Machine(t.Context(), id(903)); err != nil || m.State != accounts.MachineRevoked || m.Key != "" {
			t.Errorf("the revoked one is %+v, %v", m, err)
		}
	})
}
