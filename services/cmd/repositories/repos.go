// Package repositories has the commands on repositories and on what they take up:
// search, cleanup rules, quotas and disk usage.
package repositories

import (
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
)

// Repos are the commands on repositories.
type Repos struct {
	Ls       reposLsCmd       `cmd:"" help:"List repositories, or with --deleted those that can be restored."`
	Show     reposShowCmd     `cmd:"" help:"Show a repository."`
	Create   reposCreateCmd   `cmd:"" help:"Create an empty repository. A push creates a repository as well."`
	Set      reposSetCmd      `cmd:"" help:"Change the visibility, description, README and topics of a repository."`
	Rm       reposRmCmd       `cmd:"" help:"Delete a repository with all its images. repos undelete restores it."`
	Undelete reposUndeleteCmd `cmd:"" help:"Undo a deletion: of NAME, NAME:TAG or NAME@DIGEST."`
	Policy   reposPolicyCmd   `cmd:"" help:"Show or change what a repository accepts."`
	Grants   reposGrantsCmd   `cmd:"" help:"Manage who may do what with a repository or a whole namespace."`
	Access   reposAccessCmd   `cmd:"" help:"Show who may do what with a repository, and why."`
	Star     reposStarCmd     `cmd:"" help:"Star a repository, or remove your star."`
}

// named holds the arguments of a command on one repository.
type named struct {
	console.Target
	Name string `arg:"" help:"Repository, such as alice/app, or a top-level image such as busybox."`
}

func (n *named) path() string { return client.RepositoryPath(n.Name) }
