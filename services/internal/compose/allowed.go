package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What an operator may allow.
const (
	AllowBind       = "bind"       // directories of the host
	AllowPrivileged = "privileged" // containers that can do all that their host can
	AllowCapAdd     = "cap_add"    // more of the kernel than engines give by themselves
)

// Allowable is all of it.
var Allowable = []string{AllowBind, AllowCapAdd, AllowPrivileged}

// A shape says which keys a mapping may have. A key that has a shape itself is a mapping,
// or whatever else Compose lets it be.
type shape map[string]shape

var (
	any_ shape // is not looked into: the schema of Compose says what it is

	fileShape = shape{"name": any_, "version": any_, "services": any_, "networks": any_, "volumes": any_}

	serviceShape = shape{
		"image": any_, "command": any_, "entrypoint": any_, "environment": any_, "expose": any_, "ports": any_,
		"volumes": any_, "networks": any_, "healthcheck": {"test": any_, "interval": any_, "timeout": any_, "retries": any_, "start_period": any_, "disable": any_},
		"stop_grace_period": any_, "stop_signal": any_, "labels": any_, "restart": any_, "user": any_, "working_dir": any_, "read_only": any_, "init": any_,
		"depends_on": any_, "deploy": {"replicas": any_, "resources": {"limits": {"cpus": any_, "memory": any_, "pids": any_}}},
		RoleKey: any_,
	}

	networkShape    = shape{"internal": any_, "labels": any_, "driver": any_}
	volumeShape     = shape{"labels": any_, "driver": any_}
	attachmentShape = shape{"aliases": any_}
	mountShape      = shape{"type": any_, "source": any_, "target": any_, "read_only": any_, "tmpfs": {"size": any_}}
	portShape       = shape{"target": any_, "published": any_, "host_ip": any_, "protocol": any_, "mode": any_}
)

// reasons say why a key is refused that Compose knows.
var reasons = map[string]string{
	"build":               "what is deployed was built before: name an image, and have the hub build it by a build rule",
	"privileged":          "a privileged container can do all that its host can",
	"use_api_socket":      "the engine's socket is all of its host",
	"network_mode":        "the namespaces of the host and of other containers are not the application's",
	"pid":                 "the namespaces of the host and of other containers are not the application's",
	"ipc":                 "the namespaces of the host and of other containers are not the application's",
	"uts":                 "the namespaces of the host and of other containers are not the application's",
	"userns_mode":         "the namespaces of the host and of other containers are not the application's",
	"cgroup":              "the namespaces of the host and of other containers are not the application's",
	"cgroup_parent":       "the limits of the host are not the application's",
	"devices":             "devices of the host are not the application's",
	"device_cgroup_rules": "devices of the host are not the application's",
	"gpus":                "devices of the host are not the application's",
	"cap_add":             "capabilities reach out of the container",
	"security_opt":        "it can take protections of the host away",
	"sysctls":             "settings of the kernel are the host's",
	"runtime":             "the runtime is the host's",
	"isolation":           "the runtime is the host's",
	"provider":            "it runs a program on the host",
	"volumes_from":        "containers are replaced at each deploy: name a volume",
	"env_file":            "files beside the Compose file are not read: set the configuration of the environment with hubledger apps config set, and name the keys in environment",
	"label_file":          "files beside the Compose file are not read: write the labels in labels",
	"extends":             "other files are not read: write the service out, or use an anchor and <<",
	"include":             "other files are not read: write all of it in one file",
	"secrets":             "secrets of Compose are files beside it: set them with hubledger apps secret set, and name them in environment",
	"configs":             "configs of Compose are files beside it: put them into the image, or set the configuration of the environment",
	"models":              "models are not run",
	"container_name":      "blue and green would have the same name: leave it out",
	"hostname":            "blue and green would have the same name: leave it out",
	"pre_start":           "hooks can run privileged",
	"post_start":          "hooks can run privileged",
	"pre_stop":            "hooks can run privileged",
	"update_config":       "the hub decides how containers are replaced: leave it out",
	"rollback_config":     "the hub decides how containers are replaced: leave it out",
	"placement":           "the hub decides where containers run: leave it out",
	"scale":               "write deploy.replicas instead",
	"profiles":            "all services of the file are deployed: leave out what is not to run",
	"external":            "networks and volumes of others are not the application's",
	"driver_opts":         "options of drivers can mount directories of the host",
	"develop":             "it is for developing: leave it out",
	"pull_policy":         "a release names its images by digest: leave it out",
	"links":               "services find each other by name: leave it out",
	"external_links":      "containers of others are not the application's",
	"subpath":             "mount the volume itself",
	"bind":                "options of bind mounts are not supported",
}

// allowed looks through a file by the allow-list.
func (r *reader) allowed(file map[string]any, allow []string) {
	r.keys("", file, fileShape)
	service := serviceShape
	if slices.ContainsFunc(allow, func(a string) bool { return a == AllowPrivileged || a == AllowCapAdd }) {
		service = maps.Clone(serviceShape)
		for _, a := range allow {
			if a != AllowBind {
				service[a] = any_
			}
		}
	}
	services := r.named(file, "services")
	if len(services) > MaxServices {
		r.at("services", "the file has %d services, and at most %d", len(services), MaxServices)
	}
	if len(services) == 0 {
		r.at("services", "the file has no services")
	}
	for _, name := range sorted(services) {
		path := join("services", name)
		of, ok := services[name].(map[string]any)
		if !ok {
			r.at(path, "a service is a mapping: it has at least image and "+RoleKey)
			continue
		}
		r.keys(path, of, service)
		r.entries(of, path, "networks", attachmentShape)
		r.items(of, path, "volumes", mountShape)
		r.items(of, path, "ports", portShape)
	}
	for top, s := range map[string]shape{"networks": networkShape, "volumes": volumeShape} {
		for name, value := range r.named(file, top) {
			path := join(top, name)
			if of, ok := value.(map[string]any); ok {
				r.keys(path, of, s)
				if driver := of["driver"]; driver != nil && driver != "bridge" && driver != "local" {
					r.at(path+".driver", "drivers other than bridge and local are not supported: leave it out")
				}
			}
		}
	}
}

// keys refuses the keys that a shape does not have.
func (r *reader) keys(path string, of map[string]any, s shape) {
	for _, key := range sorted(of) {
		inner, known := s[key]
		at := join(path, key)
		switch {
		case known:
			if m, ok := of[key].(map[string]any); ok && inner != nil {
				r.keys(at, m, inner)
			}
		case strings.HasPrefix(key, "x-"): // for anchors, and of other programs
		case reasons[key] != "":
			r.at(at, "this is refused: %s", reasons[key])
		default:
			r.at(at, "this is not supported; here can be %s", strings.Join(sorted(s), ", "))
		}
	}
}

// named are the mappings of a top-level key.
func (r *reader) named(file map[string]any, key string) map[string]any {
	m, ok := file[key].(map[string]any)
	if !ok && file[key] != nil {
		r.at(key, "this is no mapping of names")
	}
	return m
}

// entries looks into the mappings of a mapping, items into those of a list.
func (r *reader) entries(of map[string]any, path, key string, s shape) {
	m, _ := of[key].(map[string]any)
	for name, value := range m {
		if inner, ok := value.(map[string]any); ok {
			r.keys(join(join(path, key), name), inner, s)
		}
	}
}

func (r *reader) items(of map[string]any, path, key string, s shape) {
	list, _ := of[key].([]any)
	for k, value := range list {
		if inner, ok := value.(map[string]any); ok {
			r.keys(fmt.Sprintf("%s[%d]", join(path, key), k), inner, s)
		}
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
