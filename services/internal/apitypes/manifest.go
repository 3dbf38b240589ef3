package apitypes

import "time"

// A Manifest is all that a page about one image, index or artifact shows. Annotations,
// labels, history and the like are the pusher's text.
type Manifest struct {
	Digest       string            `json:"digest" doc:"Of the manifest"`
	MediaType    string            `json:"mediaType" doc:"Of the manifest"`
	ArtifactType string            `json:"artifactType,omitempty" doc:"Its own, or the media type of its config"`
	Size         int64             `json:"size" doc:"Of the manifest itself, in bytes"`
	Download     int64             `json:"download" doc:"In bytes, of what a pull fetches: of an index, of its largest image"`
	Image        Image             `json:"image" doc:"Its platform, of an image"`
	Tags         []string          `json:"tags" nullable:"false" doc:"That name it, at most 100"`
	Pushed       time.Time         `json:"pushed" doc:"When it was pushed last"`
	By           string            `json:"by" doc:"Login name of who pushed its bytes last"`
	Seq          uint64            `json:"seq" doc:"Sequence of the event with its bytes"`
	Built        *time.Time        `json:"built,omitempty" doc:"As its config says; absent when it does not"`
	From         *MadeBy           `json:"from,omitempty" doc:"The build that made it, for who may push"`
	Annotations  map[string]string `json:"annotations" nullable:"false" doc:"Of the manifest"`
	Config       *ImageConfig      `json:"config,omitempty" doc:"Of an image; absent when it cannot be read"`
	Layers       []Layer           `json:"layers" nullable:"false" doc:"Of an image or artifact, the lowest first; at most 200"`
	MoreLayers   int               `json:"moreLayers,omitempty" doc:"How many others there are"`
	Images       []Image           `json:"images" nullable:"false" doc:"Of an index, for each platform that is there"`
	Subject      string            `json:"subject,omitempty" doc:"Digest of the manifest that it is about"`
	Above        []string          `json:"above" nullable:"false" doc:"Digests of indexes that name it, and of its subject"`
	Referrers    []Referrer        `json:"referrers" nullable:"false" doc:"What is about it: signatures, SBOMs, attestations; at most 100"`
}

// A Layer of an image, or a blob of an artifact.
type Layer struct {
	Digest    string `json:"digest" doc:"Of the blob"`
	MediaType string `json:"mediaType" doc:"As the manifest has it"`
	Size      int64  `json:"size" doc:"In bytes, as it is fetched"`
	Made      string `json:"made,omitempty" doc:"Line of the history that made it"`
	Title     string `json:"title,omitempty" doc:"Name of the file that it is, of an artifact"`
	AlsoIn    int    `json:"alsoIn" doc:"How many other manifests of the repository have it, counted up to 100"`
}

// A Referrer is a manifest that is about another one.
type Referrer struct {
	Digest       string            `json:"digest" doc:"Of its manifest"`
	ArtifactType string            `json:"artifactType" doc:"What it is; for a manifest that BuildKit puts into an index: attestation-manifest"`
	Size         int64             `json:"size" doc:"Of its manifest, in bytes"`
	Predicates   []string          `json:"predicates,omitempty" doc:"What an attestation of BuildKit states: in-toto's predicate types, such as https://spdx.dev/Document for an SBOM; at most 10"`
	Annotations  map[string]string `json:"annotations,omitempty" doc:"Of its manifest"`
}

// An ImageConfig is how containers of an image are run, and how it was made.
type ImageConfig struct {
	Created    *time.Time        `json:"created,omitempty" doc:"When it was made; the beginning of 1970 and the like for one made reproducibly"`
	Env        []string          `json:"env" nullable:"false" doc:"NAME=value"`
	Entrypoint []string          `json:"entrypoint" nullable:"false" doc:"Words of the command"`
	Cmd        []string          `json:"cmd" nullable:"false" doc:"Words of the command, or arguments of the entrypoint"`
	User       string            `json:"user,omitempty" doc:"Absent: root"`
	WorkingDir string            `json:"workingDir,omitempty" doc:"Absent: /"`
	StopSignal string            `json:"stopSignal,omitempty" doc:"Absent: SIGTERM"`
	Author     string            `json:"author,omitempty" doc:"As it says"`
	Ports      []string          `json:"ports" nullable:"false" doc:"Such as 80/tcp"`
	Volumes    []string          `json:"volumes" nullable:"false" doc:"Paths"`
	Labels     map[string]string `json:"labels" nullable:"false" doc:"By key"`
	History    []HistoryLine     `json:"history" nullable:"false" doc:"The earliest first"`
}

// A HistoryLine is one step by which an image was made.
type HistoryLine struct {
	Text    string `json:"text" doc:"As in a Dockerfile, as far as that can be told"`
	Comment string `json:"comment,omitempty" doc:"As it says"`
	Layer   int    `json:"layer" doc:"Place of the layer that it made, from 0; -1 for none"`
}

// An UntaggedManifest is one that nothing names.
type UntaggedManifest struct {
	Digest       string    `json:"digest" doc:"Of the manifest"`
	MediaType    string    `json:"mediaType" doc:"Of the manifest"`
	ArtifactType string    `json:"artifactType,omitempty" doc:"Its own, or the media type of its config"`
	Pushed       time.Time `json:"pushed" doc:"When it was pushed last"`
	By           string    `json:"by" doc:"Login name of who pushed its bytes last"`
	Images       int       `json:"images,omitempty" doc:"How many manifests an index names"`
}
