// Package file is the library of G-code: what people upload, what is found in it, and its way to a printer.
//
// A file's content lies in the data folder under its id, its row in the main database. An upload (tus 1.0) becomes a
// file when its last byte is on the disk; until then a row says how much of it a power cut would leave. A file is
// analysed in the background after that.
package file

import (
	"net/http"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Limits of the library.
const (
	MaxSize = 2 << 30 // bytes of a file

	maxFiles   = 50_000 // of a workspace
	maxFolders = 1000   // of a workspace
	maxDepth   = 8      // folders inside of each other
	maxTags    = 16     // of a file
	maxTag     = 40     // runes of a tag
	maxUploads = 100    // that one person has under way

	// UploadAge is how long an upload may lie still before it ends.
	UploadAge = 24 * time.Hour
)

// Kind is how a file is written.
type Kind string

// The kinds.
const (
	KindText   Kind = "gcode"
	KindBinary Kind = "bgcode" // Prusa's binary G-code
)

// Source is how a file came into the library.
type Source string

// The sources.
const (
	SourceUpload  Source = "upload"
	SourcePrinter Source = "printer" // from a printer's own files
)

// File is a file of the library.
type File struct {
	ID          string    `json:"id"`
	WorkspaceID string    `json:"workspace_id"`
	Folder      string    `json:"folder" doc:"Names with / between them; empty: in none"`
	Name        string    `json:"name"`
	Size        int64     `json:"size" doc:"bytes"`
	SHA256      string    `json:"sha256" doc:"lower-case hex"`
	Kind        Kind      `json:"kind" enum:"gcode,bgcode"`
	Tags        []string  `json:"tags"`
	Source      Source    `json:"source" enum:"upload,printer" doc:"How it came here"`
	UploadedBy  Uploader  `json:"uploaded_by"`
	CreatedAt   time.Time `json:"created_at"`
	Analysis    Analysis  `json:"analysis"`
}

// Uploader names who brought a file, by his name at that time.
type Uploader struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Folder is a folder of the library.
type Folder struct {
	Path  string `json:"path" doc:"Names with / between them"`
	Files int    `json:"files" doc:"In it and in the folders below"`
	Bytes int64  `json:"bytes" doc:"Of those files"`
}

// Usage is how much room a workspace's library takes, and how much there is.
type Usage struct {
	Files   int   `json:"files"`
	Bytes   int64 `json:"bytes" doc:"Of files, of the text that binary ones were turned into, and of uploads under way at their whole size"`
	Quota   int64 `json:"quota" doc:"Most bytes that the library may take; 0: no bound of its own"`
	Free    int64 `json:"free" doc:"Bytes that may still be uploaded, by the quota and the room on the server's disk"`
	MaxSize int64 `json:"max_size" doc:"Bytes of one file"`
}

// The problems of the library.
var (
	ErrNotFound    = problem.NotFound("file")
	errNoUpload    = problem.New(http.StatusNotFound, "not_found", "There is no such upload. It may have ended: uploads that lie still for 24 hours do.")
	errTooLarge    = problem.New(http.StatusRequestEntityTooLarge, "too_large", "The file is larger than 2 GB.")
	errQuota       = problem.New(http.StatusRequestEntityTooLarge, "quota_exceeded", "The library is full. Delete files that are not needed any more, or ask the operator for a larger quota.")
	errTooMany     = problem.New(http.StatusRequestEntityTooLarge, "too_many", "The library has as many files as it can. Delete those that are not needed any more.")
	errUploads     = problem.New(http.StatusTooManyRequests, "too_many", "You have 100 uploads under way. Finish or end some of them first.")
	errDiskFull    = problem.New(http.StatusInsufficientStorage, "disk_full", "The server's disk has too little room left. Its operator can make some, or lower --file-min-free.")
	errNameTaken   = &problem.Problem{Type: "about:blank", Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict, Code: "name_taken", Field: "name", Detail: "There is a file of that name in that folder already."}
	errNotEmpty    = problem.New(http.StatusConflict, "not_empty", "The folder is not empty. Move or delete what is in it first.")
	errFolderMany  = problem.New(http.StatusConflict, "too_many", "There are as many folders as there can be.")
	errNoThumbnail = problem.New(http.StatusNotFound, "no_thumbnail", "The file has no such picture.")
	errNoFolder    = problem.New(http.StatusNotFound, "no_folder", "There is no such folder.")
	errChecksum    = problem.New(http.StatusUnprocessableEntity, "checksum", "What arrived is not what was sent: its SHA-256 differs. Upload the file again.")
)
