package apitypes

// LayerFiles are the files of one directory of a layer, once the layer was looked through.
// Names and links are the pusher's text.
type LayerFiles struct {
	Digest    string      `json:"digest" doc:"Of the layer"`
	State     string      `json:"state" enum:"done,waiting,running,failed,missing" doc:"waiting and running: ask again; failed: the hub could not read it, and tries again when asked a minute later; missing: the hub does not have its content"`
	Read      int64       `json:"read,omitempty" doc:"While it is running: bytes of it that were read"`
	Size      int64       `json:"size,omitempty" doc:"While it is running: bytes that it has"`
	Kind      string      `json:"kind,omitempty" doc:"tar, tar+gzip or tar+zstd; absent for what is no archive"`
	About     string      `json:"about,omitempty" doc:"What it is, when it is no archive whose files can be listed"`
	Entries   int         `json:"entries" doc:"How many the whole layer has"`
	Bytes     int64       `json:"bytes" doc:"Of the contents of all its files"`
	Truncated string      `json:"truncated,omitempty" doc:"Why not all of the layer is listed; absent when all is"`
	Path      string      `json:"path" doc:"Of the directory, without a slash at either end"`
	Directory *LayerFile  `json:"directory,omitempty" doc:"The directory itself"`
	Total     int         `json:"total" doc:"How many entries the directory has"`
	Items     []LayerFile `json:"items" nullable:"false" doc:"Its entries: directories first, then by name"`
	Next      string      `json:"next,omitempty" doc:"Address of the next page; absent on the last"`
}

// A LayerFile is a file, directory or whiteout of a layer.
type LayerFile struct {
	Name    string `json:"name" doc:"Within its directory; what is no UTF-8 is written as \\xNN"`
	Type    string `json:"type" enum:"file,directory,symlink,hardlink,device,whiteout" doc:"A whiteout deletes what lower layers have by that name"`
	Mode    string `json:"mode" doc:"Permission bits in octal, such as 0644; with set-user-id as 4755"`
	UID     int    `json:"uid" doc:"Number of the user who owns it"`
	GID     int    `json:"gid" doc:"Number of the group that owns it"`
	Size    int64  `json:"size" doc:"In bytes; of a directory, of all files below it"`
	Files   int    `json:"files,omitempty" doc:"Of a directory: how many files are below it"`
	Link    string `json:"link,omitempty" doc:"Where a symlink or hardlink leads"`
	SHA256  string `json:"sha256,omitempty" doc:"Of the content of a file, in hex"`
	Opaque  bool   `json:"opaque,omitempty" doc:"Of a directory: it hides what lower layers have in it"`
	Implied bool   `json:"implied,omitempty" doc:"Of a directory: the layer has only what is in it, no owner or mode of its own"`
}

// FileChanges are the files that two images do not have alike, as containers see them.
type FileChanges struct {
	From         string       `json:"from,omitempty" doc:"Digest of the image that it is compared with"`
	To           string       `json:"to" doc:"Digest of the image"`
	State        string       `json:"state" enum:"done,waiting,failed" doc:"waiting: layers are being looked through, ask again; failed: one cannot be"`
	Layers       int          `json:"layers" doc:"How many different layers the two have"`
	Ready        int          `json:"ready" doc:"How many of them were looked through"`
	Failed       string       `json:"failed,omitempty" doc:"Digest of a layer that the hub does not have or could not read"`
	Added        int          `json:"added" doc:"How many paths only to has"`
	Removed      int          `json:"removed" doc:"How many paths only from has"`
	Changed      int          `json:"changed" doc:"How many paths both have in another way"`
	AddedBytes   int64        `json:"addedBytes" doc:"Of the files that only to has"`
	RemovedBytes int64        `json:"removedBytes" doc:"Of the files that only from has"`
	ChangedBytes int64        `json:"changedBytes" doc:"By how much the changed files are larger in to"`
	Incomplete   []string     `json:"incomplete" nullable:"false" doc:"Digests of layers of which not all files are known"`
	Items        []FileChange `json:"items" nullable:"false" doc:"By path"`
	Next         string       `json:"next,omitempty" doc:"Address of the next page; absent on the last"`
}

// A FileChange is a path that two images do not have alike.
type FileChange struct {
	Path string     `json:"path" doc:"Without a slash at the beginning"`
	From *LayerFile `json:"from,omitempty" doc:"Absent when only to has it"`
	To   *LayerFile `json:"to,omitempty" doc:"Absent when only from has it"`
}
