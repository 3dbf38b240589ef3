package cage

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
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

// What a message of the first process begins with.
const (
	filesFollow = 'F'
	exitFollows = 'E'
	usersBegun  = 'U'
)

func writeFrame(c io.Writer, data []byte) error {
	if len(data) > maxFrame {
		return fmt.Errorf("%d bytes are too many for a cage", len(data))
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}

func readFrame(c io.Reader) ([]byte, error) {
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
	_, _, err := c.WriteMsgUnix([]byte{filesFollow}, unix.UnixRights(fds...), nil)
	return err
}

// sendExit sends the exit.
func sendExit(c *net.UnixConn, e Exit) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := c.Write([]byte{exitFollows}); err != nil {
		return err
	}
	return writeFrame(c, text)
}

// receiveExit takes the exit.
func receiveExit(c *net.UnixConn) (e Exit, err error) {
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		return e, err
	}
	return exitAfter(c)
}

func exitAfter(c *net.UnixConn) (e Exit, err error) {
	text, err := readFrame(c)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	return e, err
}

// sayStart says that the first process of the user namespace runs, and waits until it
// may go on: the one that has started it has to leave its control group.
func sayStart(c *net.UnixConn) error {
	if _, err := c.Write([]byte{usersBegun}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// receiveStart waits for sayStart; its errors are those of receiveFiles.
func receiveStart(c *net.UnixConn) error {
	var first [1]byte
	if _, err := io.ReadFull(c, first[:]); err != nil {
		return err
	}
	if first[0] == exitFollows {
		e, err := exitAfter(c)
		return cmp.Or(err, errors.New(e.Error))
	}
	return nil
}

// goOn answers sayStart.
func goOn(c *net.UnixConn) error {
	_, err := c.Write([]byte{usersBegun})
	return err
}

// receiveFiles takes n descriptors. io.EOF when the other side was ended; the error
// of the exit when that comes instead.
func receiveFiles(c *net.UnixConn, n int) ([]*os.File, error) {
	rights, first := make([]byte, unix.CmsgSpace(4*n)), make([]byte, 1)
	got, size, _, _, err := c.ReadMsgUnix(first, rights)
	if err != nil {
		return nil, err
	}
	if got == 0 {
		return nil, io.EOF
	}
	if first[0] == exitFollows {
		e, err := exitAfter(c)
		if err != nil {
			return nil, err
		}
		return nil, errors.New(e.Error)
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
