package cage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// The first process of a cage and the one that started it talk over a pair of
// sockets: orders go in, then descriptors come out, then the exit.

const maxFrame = 64 << 20

func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "cage")
	if ours, err = unixConn(fds[0]); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

func unixConn(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "cage")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("it is no unix socket")
	}
	return u, nil
}

func writeFrame(c *net.UnixConn, data []byte) error {
	if len(data) > maxFrame {
		return fmt.Errorf("%d bytes are too many for a cage", len(data))
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}

func readFrame(c *net.UnixConn) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	data := make([]byte, n)
	_, err := io.ReadFull(c, data)
	return data, err
}

// sendFiles sends descriptors.
func sendFiles(c *net.UnixConn, files ...*os.File) error {
	fds := make([]int, len(files))
	for k, f := range files {
		fds[k] = int(f.Fd())
	}
	_, _, err := c.WriteMsgUnix([]byte{0}, unix.UnixRights(fds...), nil)
	return err
}

// receiveFiles takes n descriptors. io.EOF when the other side has ended.
func receiveFiles(c *net.UnixConn, n int) ([]*os.File, error) {
	rights := make([]byte, unix.CmsgSpace(4*n))
	got, size, _, _, err := c.ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		return nil, err
	}
	if got == 0 {
		return nil, io.EOF
	}
	list, err := unix.ParseSocketControlMessage(rights[:size])
	if err != nil || len(list) != 1 {
		return nil, errors.New("no descriptors came")
	}
	fds, err := unix.ParseUnixRights(&list[0])
	if err != nil {
		return nil, err
	}
	files := make([]*os.File, len(fds))
	for k, fd := range fds {
		unix.CloseOnExec(fd)
		files[k] = os.NewFile(uintptr(fd), "cage")
	}
	if len(files) != n {
		for _, f := range files {
			f.Close()
		}
		return nil, fmt.Errorf("%d descriptors came, not %d", len(files), n)
	}
	return files, nil
}
