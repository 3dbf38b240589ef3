package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// RepositoryPath names a repository.
type RepositoryPath struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization; library for top-level images"`
	Name      string `path:"name" maxLength:"200" doc:"The rest of the name; slashes as they are or as %2F"`
}

// A repositoryPage is all that one page about a repository shows.
type repositoryPage struct {
	RepositoryView
	Readme  string `json:"readme" doc:"Markdown as it was written"`
	Starred bool   `json:"starred" doc:"I have given it a star"`
	Level   string `json:"level" enum:"read,write,delete,admin" doc:"What I may do with it"`
	Tags    int    `json:"tags" doc:"How many there are"`
}

type changeRepositoryIn struct {
	RepositoryPath
	Body struct {
		Description *string   `json:"description,omitempty" maxLength:"400" doc:"One line of at most 100 characters"`
		Readme      *string   `json:"readme,omitempty" maxLength:"100000" doc:"Markdown, at most 100,000 bytes"`
		Topics      *[]string `json:"topics,omitempty" maxItems:"20" doc:"Each of a-z, 0-9 and -, at most 35 long"`
		Visibility  string    `json:"visibility,omitempty" enum:"public,private" doc:"public: everybody may pull"`
	}
}

type createRepositoryIn struct {
	Body struct {
		Name        string   `json:"name" minLength:"1" maxLength:"200" example:"alice/app" doc:"Full name: namespace and the rest"`
		Visibility  string   `json:"visibility,omitempty" enum:"public,private" doc:"Absent: as this hub has it for a push"`
		Description string   `json:"description,omitempty" maxLength:"400" example:"What greets our visitors" doc:"One line of at most 100 characters"`
		Readme      string   `json:"readme,omitempty" maxLength:"100000" doc:"Markdown, at most 100,000 bytes"`
		Topics      []string `json:"topics,omitempty" maxItems:"20" doc:"Each of a-z, 0-9 and -, at most 35 long"`
	}
}

type createdRepository struct {
	RepositoryView
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}

const repositoryPath = "/repositories/{namespace}/{name}"

func (s *API) registerRepository() {
	add(s, operation{method: http.MethodPost, path: "/repositories", id: "create-repository", tag: "repositories", status: http.StatusCreated,
		summary: "Make an empty repository", about: "A push makes one as well."}, s.createRepository)
	add(s, operation{method: http.MethodGet, path: repositoryPath, id: "get-repository", tag: "repositories", summary: "Show a repository"}, s.getRepository)
	add(s, operation{method: http.MethodPatch, path: repositoryPath, id: "change-repository", tag: "repositories",
		summary: "Describe a repository, open or close it", about: "What is absent stays."}, s.changeRepository)
	add(s, operation{method: http.MethodDelete, path: repositoryPath, id: "delete-repository", tag: "repositories",
		summary: "Delete a repository with all it has", about: "It can be restored until the undelete window ends."}, s.deleteRepository)
}

// id is what the commands on the call's repository take.
func (c *call) id() repository.ID {
	return repository.ID{Namespace: c.repo.Namespace, Repository: c.repo.ID}
}

func (s *API) getRepository(ctx context.Context, c *call, _ *RepositoryPath) (*wholly[repositoryPage], error) {
	e, err := s.entry(ctx, c.repo.ID)
	if err != nil {
		return nil, err
	}
	page := repositoryPage{RepositoryView: shownEntry(*e), Level: levelName(c.level)}
	if page.Readme, err = s.Catalog.Readme(ctx, c.repo.ID); err != nil {
		return nil, err
	}
	if c.p.Kind == access.User {
		if page.Starred, err = s.Catalog.HasStar(ctx, c.repo.ID, c.p.ID); err != nil {
			return nil, err
		}
	}
	page.Tags, err = s.Images.CountTags(ctx, c.repo.ID, "")
	return &wholly[repositoryPage]{page}, err
}

func (s *API) createRepository(ctx context.Context, c *call, in *createRepositoryIn) (*wrote[createdRepository], error) {
	about := repository.Description{Line: in.Body.Description, Readme: in.Body.Readme, Topics: in.Body.Topics}
	id, seq, err := s.create(ctx, c, in.Body.Name, in.Body.Visibility, about)
	if err == nil {
		err = s.settle(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	e, err := s.Catalog.Entry(ctx, id.Repository)
	if err != nil {
		return nil, err
	}
	return &wrote[createdRepository]{seq, createdRepository{shownEntry(*e), seq}}, nil
}

// create makes a repository that is not there, if the principal may, and says
// what it is. These are two events: what would be refused of the second is
// refused before the first.
func (s *API) create(ctx context.Context, c *call, full, visibility string, about repository.Description) (id repository.ID, seq uint64, err error) {
	name, err := s.mayCreate(ctx, c, full)
	if err != nil {
		return id, 0, err
	}
	if err := about.Check(); err != nil {
		return id, 0, err
	}
	if id, err = repository.Ensure(ctx, s.Log, by(c.p), name, cmp.Or(visibility, s.DefaultVisibility)); err != nil {
		return id, 0, err
	}
	if about.Line != "" || about.Readme != "" || len(about.Topics) > 0 {
		seq, err = repository.Describe(ctx, s.Log, by(c.p), id, name.Full, about)
		return id, seq, err
	}
	_, seq, err = command.Latest(ctx, s.Log, events.RepositorySubject(id.Namespace, name.Full))
	return id, seq, err
}

func (s *API) mayCreate(ctx context.Context, c *call, full string) (repository.Name, error) {
	name, err := repository.ParseName(full)
	if err != nil {
		return name, invalid("body.name", err.Error())
	}
	d, err := s.Rights.Repository(ctx, c.p, name.Full)
	switch {
	case err != nil:
		return name, err
	case d.Repository != nil && d.Level >= access.Read:
		return name, fail(http.StatusConflict, "there is a repository of that name")
	case !d.Create && c.p.Admin && d.Namespace == nil:
		return name, fail(http.StatusNotFound, "there is no user or organization "+strconv.Quote(name.Namespace)+": create it first")
	case !d.Create:
		return name, fail(http.StatusForbidden, "you may not create "+name.Full+own(c.p))
	}
	return name, nil
}

// own tells users where they may.
func own(p access.Principal) string {
	if p.Kind != access.User {
		return ""
	}
	return ": your own repositories have names that begin with " + p.Name + "/"
}

func (s *API) changeRepository(ctx context.Context, c *call, in *changeRepositoryIn) (*written, error) {
	want := in.Body
	var seq uint64
	if want.Description != nil || want.Readme != nil || want.Topics != nil {
		var err error
		seq, err = s.restate(ctx, c, func(d *repository.Description) {
			assign(&d.Line, want.Description)
			assign(&d.Readme, want.Readme)
			assign(&d.Topics, want.Topics)
		})
		if err != nil {
			return nil, err
		}
	}
	if want.Visibility != "" {
		var err error
		if seq, err = s.open(ctx, c, want.Visibility); err != nil {
			return nil, err
		}
	}
	if seq == 0 {
		return nil, invalid("body", "say what to change")
	}
	return s.done(ctx, seq, nil)
}

func assign[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// description is what the catalog says of the call's repository.
func (s *API) description(ctx context.Context, c *call) (repository.Description, error) {
	e, err := s.Catalog.Entry(ctx, c.repo.ID)
	if err != nil {
		return repository.Description{}, err
	}
	readme, err := s.Catalog.Readme(ctx, c.repo.ID)
	return repository.Description{Line: e.Description, Readme: readme, Topics: e.Topics}, err
}

func (s *API) deleteRepository(ctx context.Context, c *call, _ *RepositoryPath) (*written, error) {
	seq, err := s.Registry.DeleteRepository(ctx, by(c.p), c.repo.Name)
	return s.done(ctx, seq, err)
}
