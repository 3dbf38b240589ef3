package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/projections"
)

var (
	num  = projections.IntValue
	raw  = projections.BytesValue
	text = projections.TextValue
)

func apply(e *events.Event, ops *projections.Ops) error {
	a := applier{ops: ops, seq: num(int64(e.Seq)), time: num(e.Time().UnixMicro()), actor: text(e.Actor())}
	if e.Type() == "image.pushed.v1" || e.Type() == "image.tagged.v1" {
		return a.pushed(e.Data)
	}
	p, err := events.Decode(e)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case events.NamespaceCreated:
		ops.Write(namespaces, a.id(p.Namespace), text(p.Name))
	case events.NamespaceAdopted:
		ops.Write(namespaces, a.id(p.Namespace), text(p.Name))
	case events.RepositoryCreated:
		a.created(p)
	case events.RepositoryDeleted:
		ops.Write(states, a.id(p.Repository), num(1), a.seq)
		a.addActivity(p.Repository, repositoryDeleted, "")
	case events.RepositoryRestored:
		ops.Write(states, a.id(p.Repository), num(0), a.seq)
		a.addActivity(p.Repository, repositoryRestored, "")
	case events.RepositoryVisibilityChanged:
		ops.Write(visibilities, a.id(p.Repository), public(p.Visibility), a.seq)
		a.addActivity(p.Repository, visibilityChanged, p.Visibility)
	case events.RepositoryDescribed:
		a.described(p.Repository, p.Description, p.Topics)
		ops.Write(readmes, a.id(p.Repository), a.seq, text(p.Readme))
	case events.RepositorySummaryChanged:
		a.described(p.Repository, p.Description, p.Topics)
	case events.StarGiven:
		ops.Write(stars, a.id(p.Repository), a.id(p.User), num(1), a.seq)
	case events.StarWithdrawn:
		ops.Write(stars, a.id(p.Repository), a.id(p.User), num(0), a.seq)
	case events.PullsCounted:
		a.counted(p)
	case events.TagDeleted:
		a.addActivity(p.Repository, tagDeleted, p.Tag)
	case events.TagRestored:
		a.addActivity(p.Repository, tagRestored, p.Tag)
	case events.ManifestDeleted:
		a.addActivity(p.Repository, manifestDeleted, p.Digest.String())
	case events.ManifestRestored:
		a.addActivity(p.Repository, manifestRestored, p.Digest.String())
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

func (a *applier) id(s string) projections.Value {
	id, err := projections.IDBytes(s)
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return raw(id)
}

func public(visibility string) projections.Value {
	if visibility == events.Public {
		return num(1)
	}
	return num(0)
}

func (a *applier) created(p events.RepositoryCreated) {
	id := a.id(p.Repository)
	a.ops.Write(repositories, id, a.id(p.Namespace), text(p.Name), text(" "+document(nameWords(p.Name))), a.time, a.seq)
	a.ops.Write(states, id, num(0), a.seq)
	a.ops.Write(visibilities, id, public(p.Visibility), a.seq)
	a.ops.Write(pushes, id, a.time, num(0))
	a.addActivity(p.Repository, repositoryCreated, "")
	for _, part := range parts(p.Name) {
		for _, gram := range trigrams(part) {
			a.ops.Write(grams, text(gram), num(int64(len(part))), text(part))
		}
	}
}

func (a *applier) described(repo, description string, all []string) {
	var topics, words []string
	for _, topic := range all {
		if topic != "" && !strings.ContainsAny(topic, " \t\n") {
			topics = append(topics, topic)
			words = append(append(words, topicWord(topic)), split(topic)...)
		}
	}
	words = append(words, split(description)...)
	a.ops.Write(descriptions, a.id(repo), text(description), text(strings.Join(topics, " ")), text(document(words)), a.seq)
	a.addActivity(repo, repositoryDescribed, "")
}

func (a *applier) counted(p events.PullsCounted) {
	for _, r := range p.Repositories {
		id := a.id(r.Repository)
		a.ops.Write(pulls, id, num(r.Pulls))
		a.ops.Write(pulled, id, num(r.LastPulled.UnixMicro()))
		for _, tag := range r.Tags {
			a.ops.Write(tagPulls, id, text(tag.Tag), num(tag.Pulls))
			a.ops.Write(tagPulled, id, text(tag.Tag), num(tag.LastPulled.UnixMicro()))
		}
		for _, m := range r.Manifests {
			a.ops.Write(manifestPulled, id, text(m.Digest.String()), num(m.LastPulled.UnixMicro()))
		}
	}
}

// pushed decodes an events.ImagePushed without its manifest, which is most of the
// event and not needed here, or an events.ImageTagged.
func (a *applier) pushed(data []byte) error {
	var p struct{ Repository, Tag, Digest string }
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if p.Tag == "" {
		p.Tag = p.Digest
	}
	a.ops.Write(pushes, a.id(p.Repository), a.time, a.time)
	a.addActivity(p.Repository, imagePushed, p.Tag)
	return errors.Join(a.errs...)
}

// addActivity records what happened to a repository.
func (a *applier) addActivity(repo string, k kind, what string) {
	a.ops.Write(activity, a.id(repo), a.seq, a.time, a.actor, num(int64(k)), text(what))
}
