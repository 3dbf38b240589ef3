package apitypes

import "time"

// A TagSpan is a time in which a tag named one image, or none.
type TagSpan struct {
	Seq     uint64     `json:"seq" doc:"Sequence of the event with which it began"`
	Digest  string     `json:"digest" doc:"Of what the tag named; of a deletion, what it had named until then"`
	Deleted bool       `json:"deleted,omitempty" doc:"The tag named nothing: it was deleted"`
	From    time.Time  `json:"from" doc:"When it began"`
	By      string     `json:"by" doc:"Login name of who pushed, restored, rolled back or deleted the tag"`
	Until   *time.Time `json:"until,omitempty" doc:"When it ended; absent while it goes on"`
	Ended   uint64     `json:"ended,omitempty" doc:"Sequence of the event that ended it; absent while it goes on"`
	Hidden  bool       `json:"hidden,omitempty" doc:"It ended because the image was deleted"`
	Now     Fate       `json:"now" doc:"What has become of the image"`
}

// A Fate says what has become of an image that was pushed.
type Fate struct {
	State string     `json:"state" enum:"there,deleted,gone" doc:"deleted: it can be restored; gone: it cannot"`
	Until *time.Time `json:"until,omitempty" doc:"Until when what was deleted can be restored"`
	Swept uint64     `json:"swept,omitempty" doc:"Sequence of the event by which garbage collection took its content; absent when it did not"`
	Since *time.Time `json:"since,omitempty" doc:"Since when it is gone: it was swept then, or the time to restore it ended"`
}

// A Trashed thing is a tag or an image that was deleted from a repository.
type Trashed struct {
	Kind    string    `json:"kind" enum:"tag,image" doc:"What was deleted"`
	Tag     string    `json:"tag,omitempty" doc:"Its name, of a tag"`
	Digest  string    `json:"digest" doc:"Of the image, or of that which the tag named"`
	Seq     uint64    `json:"seq" doc:"Sequence of the deletion"`
	Deleted time.Time `json:"deleted" doc:"When it was"`
	By      string    `json:"by" doc:"Login name of who deleted it"`
	Fate    Fate      `json:"fate" doc:"Whether it can be restored. Of a tag, deleted also while the time for it goes on and its image is there"`
	// NeedsImage says that the tag cannot come back alone.
	NeedsImage bool     `json:"needsImage,omitempty" doc:"Of a tag: its image was deleted, too, and has to be restored first"`
	Tags       []string `json:"tags" nullable:"false" doc:"Of an image: tags that come back with it, at most 20"`
	MoreTags   int      `json:"moreTags,omitempty" doc:"How many other tags come back with it"`
}

// A RollbackRequest says what a tag is to name again.
type RollbackRequest struct {
	To   string `json:"to" maxLength:"150" doc:"Digest of an image that the tag named before; see its history"`
	From string `json:"from,omitempty" maxLength:"150" doc:"Digest that the tag names now: when it names another one, because somebody pushed meanwhile, the answer is 409"`
}
