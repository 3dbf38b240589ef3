package images

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
)

var (
	num  = projections.IntValue
	raw  = projections.BytesValue
	text = projections.TextValue
)

func apply(e *events.Event, ops *projections.Ops) error {
	p, err := events.Decode(e)
	if err != nil {
		return err
	}
	a := applier{ops: ops, seq: num(int64(e.Seq)), time: num(e.Time().UnixMicro()), actor: text(e.Actor())}
	switch p := p.(type) {
	case events.NamespaceCreated:
		ops.Write(namespaces, text(p.Name), a.id(p.Namespace), a.time)
	case events.RepositoryCreated:
		ops.Write(repositories, a.id(p.Repository), a.id(p.Namespace), text(p.Name), a.time)
		a.repository(p.Namespace, p.Repository, p.Name, true)
		a.visibility(p.Repository, p.Name, p.Visibility)
	case events.RepositoryDeleted:
		a.repository(p.Namespace, p.Repository, p.Name, false)
	case events.RepositoryRestored:
		a.repository(p.Namespace, p.Repository, p.Name, true)
	case events.RepositoryPolicyChanged:
		policy, _ := json.Marshal(p.Policy) // texts and numbers: cannot fail
		ops.Write(policies, a.id(p.Repository), text(string(policy)), a.seq)
	case events.RepositoryVisibilityChanged:
		a.visibility(p.Repository, p.Name, p.Visibility)
	case events.ImagePushed:
		a.pushed(p)
	case events.ImageTagged:
		if p.Tag != "" {
			a.tag(p.Repository, p.Tag, p.Digest, false, a.time)
		}
		ops.Write(revivals, a.id(p.Repository), a.digest(p.Digest), a.seq, a.time)
	case events.TagDeleted:
		a.tag(p.Repository, p.Tag, p.Digest, true, num(0))
	case events.TagRestored:
		pushed := a.time
		if p.Pushed != nil {
			pushed = num(p.Pushed.UnixMicro())
		}
		a.tag(p.Repository, p.Tag, p.Digest, false, pushed)
		ops.Write(revivals, a.id(p.Repository), a.digest(p.Digest), a.seq, num(0))
	case events.ManifestDeleted:
		ops.Write(deletions, a.id(p.Repository), a.digest(p.Digest), a.seq, a.time, num(0))
	case events.ManifestRestored:
		ops.Write(deletions, a.id(p.Repository), a.digest(p.Digest), num(int64(p.Deletion)), num(0), a.seq)
	case events.BlobsSwept:
		for _, blob := range p.Blobs {
			ops.Write(swept, a.digest(blob.Digest), a.seq)
		}
	case events.ApplicationCreated:
		a.application(p.Application, p.Name, true, p.Settings.Keep)
	case events.ApplicationChanged:
		a.application(p.Application, p.Name, true, p.Settings.Keep)
	case events.ApplicationDeleted:
		a.application(p.Application, p.Name, false, 0)
	case events.ReleaseMade:
		a.released(p)
	case events.EnvironmentCreated:
		ops.Write(environments, a.id(p.Environment), a.id(p.Application), num(1), a.seq)
	case events.EnvironmentDeleted:
		ops.Write(environments, a.id(p.Environment), a.id(p.Application), num(0), a.seq)
	case events.DeploymentRequested:
		a.requested(p)
	case events.DeploymentAdmitted:
		ops.Write(admitted, a.id(p.Deployment))
	case events.DeploymentPromoted:
		ops.Write(promotions, a.id(p.Deployment), a.seq)
	case events.DeploymentTornDown:
		ops.Write(onHosts, a.id(p.Environment), text(p.Colour), num(0), num(0), a.id(p.Deployment), a.seq)
	default:
		return fmt.Errorf("event %d: %s is listed but not handled", e.Seq, e.Type())
	}
	return errors.Join(a.errs...)
}

// An applier writes the rows of one event and collects its errors.
type applier struct {
	ops              *projections.Ops
	seq, time, actor projections.Value
	errs             []error
}

func (a *applier) keep(b []byte, err error) projections.Value {
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return raw(b)
}

func (a *applier) id(s string) projections.Value            { return a.keep(projections.IDBytes(s)) }
func (a *applier) digest(d digest.Digest) projections.Value { return a.keep(DigestBytes(d)) }

func flag(on bool) projections.Value {
	if on {
		return num(1)
	}
	return num(0)
}

func (a *applier) repository(namespace, repo, name string, lives bool) {
	deleted := a.time
	if lives {
		deleted = num(0)
	}
	a.ops.Write(names, text(name), a.id(repo), a.id(namespace), flag(!lives), a.seq)
	a.ops.Write(repositoryState, a.id(repo), deleted, a.seq)
}

func (a *applier) visibility(repo, name, is string) {
	a.ops.Write(visibility, a.id(repo), text(name), flag(is == events.Public), a.seq)
}

// tag sets or deletes a tag. What was restored counts from its push, and not as new.
func (a *applier) tag(repo, tag string, d digest.Digest, deleted bool, pushed projections.Value) {
	id, to := a.id(repo), a.digest(d)
	since := pushed
	if deleted {
		since = a.time
	}
	a.ops.Write(tags, id, text(tag), to, flag(deleted), since, a.actor, a.seq)
	a.ops.Write(tagHistory, id, text(tag), a.seq, to, flag(deleted), a.time, pushed, a.actor)
}

func (a *applier) pushed(p events.ImagePushed) {
	m, err := ParseManifest(p.Manifest)
	if err != nil {
		a.errs = append(a.errs, err)
		return
	}
	id, d := a.id(p.Repository), a.digest(p.Digest)
	if p.Tag != "" {
		a.tag(p.Repository, p.Tag, p.Digest, false, a.time)
	}
	var platform, annotations []byte
	if p.Platform != nil {
		platform, _ = json.Marshal(p.Platform) // strings only: cannot fail
	}
	var created int64
	if p.Created != nil {
		created = p.Created.UnixMicro()
	}
	subject := raw([]byte{})
	if m.Subject != nil {
		subject = a.digest(m.Subject.Digest)
		if len(m.Annotations) > 0 {
			annotations, _ = json.Marshal(m.Annotations) // likewise
		}
		a.ops.Write(referrers, id, subject, d, text(p.MediaType), text(m.Artifact()),
			num(int64(len(p.Manifest))), a.seq, text(string(annotations)))
	}
	a.ops.Write(manifests, id, d, text(p.MediaType), subject, text(string(platform)), num(created),
		a.time, a.actor, a.seq, num(int64(len(p.Manifest))), raw(p.Manifest))
	for _, blob := range m.Held(p.Absent, p.Blobs) {
		a.ops.Write(holds, a.digest(blob.Digest), id, d, num(blob.Size))
	}
	for _, child := range m.Children() {
		a.ops.Write(revivals, id, a.digest(child), a.seq, num(0))
		a.ops.Write(children, id, a.digest(child), d)
	}
}
