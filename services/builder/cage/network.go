package cage

import (
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// network turns the loopback interface on and gives it the nth address that is to be
// listened on, if that is neither one of loopback nor stands for all addresses.
func network(listen string, n int) error {
	to, err := netip.ParseAddrPort(listen)
	if err != nil {
		return fmt.Errorf("the address %q: %w", listen, err)
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(s)
	if err := up(s, "lo"); err != nil {
		return err
	}
	if to.Addr().IsLoopback() || to.Addr() == netip.IPv4Unspecified() {
		return nil
	}
	if !to.Addr().Is4() {
		return fmt.Errorf("the address %s is neither of loopback nor of IPv4", to.Addr())
	}
	label := fmt.Sprintf("lo:%d", n)
	alias, err := unix.NewIfreq(label)
	if err != nil {
		return err
	}
	bytes := to.Addr().As4()
	if err := alias.SetInet4Addr(bytes[:]); err != nil {
		return err
	}
	if err := ioctl(s, unix.SIOCSIFADDR, alias); err != nil {
		return fmt.Errorf("give the loopback interface an address: %w", err)
	}
	return up(s, label)
}

func up(s int, name string) error {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := ioctl(s, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("turn the loopback interface on: %w", err)
	}
	return nil
}

func ioctl(s int, request uintptr, r *unix.Ifreq) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), request, uintptr(unsafe.Pointer(r))); errno != 0 {
		return errno
	}
	return nil
}
