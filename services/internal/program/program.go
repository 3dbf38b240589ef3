// Package program gives memory of the program's own file back to the system.
package program

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// dontNeed is MADV_DONTNEED of Linux, which has /proc/self/maps.
const dontNeed = 4

// GiveBack lets the system take the pages of the program file that a start or a burst
// has touched. Those that are needed again are found in the page cache as long as the system
// keeps them there. Where the system does not know how, or the file is not ours, nothing happens.
func GiveBack() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		var may string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &may); err != nil || may[1] == 'w' || !strings.HasSuffix(lines.Text(), program) {
			continue
		}
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, dontNeed)
	}
}
