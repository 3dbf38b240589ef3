package cage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/builder/cage"
)

// In a user namespace programs are root, and nobody to the machine: they own the disk
// and their copies, make namespaces, mounts and control groups, and no devices; they
// read no file that not everybody may read, and lift no limit.
func TestUnprivileged(t *testing.T) {
	if err := cage.UsersCheck(); err != nil {
		missing(t, err.Error())
	}
	source := t.TempDir()
	for name, text := range map[string]string{"dir/file": "content", "program": "#!/bin/sh\necho runs\n"} {
		path := filepath.Join(source, name)
		os.MkdirAll(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/shadow", filepath.Join(source, "link")); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("planted"), 0o600); err != nil {
		t.Fatal(err)
	}
	apart := func(c *cage.Config) {
		c.Unprivileged = true
		c.Copies = map[string]string{"/disk/src": source}
		c.Dirs = []string{"/var/tmp"}
		c.Binds["/run/private"] = secret
	}
	for command, want := range map[string]string{
		"id -u; tr -s ' ' < /proc/self/uid_map":                                        "0\n 0 1880096768 65536\n",
		"cd /disk/src && cat dir/file && echo more > dir/new && cat dir/new":           "contentmore\n",
		"/disk/src/program; readlink /disk/src/link":                                   "runs\n/etc/shadow\n",
		"cat /run/private 2>&1":                                                        "Permission denied\n",
		"cat /run/secrets/one; echo x > /run/x && echo y > /var/tmp/y && echo written": "plantedwritten\n",
		"mknod /disk/sda b 8 0 2>&1":                                                   "Operation not permitted\n",
		"mkdir /run/m && mount -t tmpfs none /run/m && mknod /run/m/sda b 8 0 2>&1":    "Operation not permitted\n",
		"mount -o remount,rw,bind /usr 2>&1; echo x 2>&1 > /usr/x":                     "Read-only file system\n",
		"umount /usr 2>&1": "not mounted.\n",
		"echo 1 2>&1 > /proc/sys/vm/overcommit_memory":                               "Permission denied\n",
		"set -- /proc/[0-9]*; echo $#":                                               "3\n",
		"tail -n +3 /proc/net/dev | cut -d: -f1":                                     " lo\n",
		"ls -d /sys/fs/cgroup/*/hubledger-builds 2>/dev/null | wc -l":                "0\n",
		"cut -d: -f3 /proc/self/cgroup | grep -vxc -e / -e /daemon":                  "0\n",
		"cd /sys/fs/cgroup && d=pids; [ -d pids ] || d=.; mkdir $d/one && echo made": "made\n",
		"for f in /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; do [ -e $f ] && echo 9999999999 2>&1 > $f; done": "Permission denied\n",
		"dd if=/dev/zero of=/tmp/x bs=1M 2>&1 | head -n 1": "No space left on device\n",
		"(echo x > /dev/stdout) | cat":                     "x\n",
		"hostname; nsenter -t 1 -m ls /home 2>&1":          "No such file or directory\n",
	} {
		o := in(t, command, apart)
		if !strings.HasSuffix(strings.TrimRight(o.out, " "), strings.TrimRight(want, " ")) || want == "" || o.startErr != nil || o.exit.Error != "" {
			t.Errorf("%s: %+v %v", command, o, o.startErr)
		}
	}
	if o := in(t, "echo done > /run/result; exit 7", apart, asDaemon()); o.exit.Code != 7 || string(o.exit.Result) != "done\n" || !strings.Contains(o.log, "the daemon runs") {
		t.Errorf("%+v", o)
	}
	if o := in(t, "exec bash -c 'cat < /dev/tcp/hub.example.com/5000; cat < /dev/tcp/127.0.0.1/6000'", apart); strings.Count(o.out, "greetings") != 2 {
		t.Errorf("its sockets: %+v", o)
	}
	if o := in(t, "kill -9 $$", apart); o.exit.Code != 137 {
		t.Errorf("%+v", o)
	}
	if o := in(t, "kill -9 1; kill -15 1; sleep 1; echo lives; exit 3", apart); o.exit.Code == 0 {
		t.Errorf("%+v", o)
	}
	if o := in(t, "true", apart, func(c *cage.Config) { c.Program = []string{"/none"} }); !strings.Contains(o.exit.Error, "start the program") {
		t.Errorf("%+v", o)
	}
}
