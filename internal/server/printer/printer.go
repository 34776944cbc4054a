// Package printer is the heart of FACTOR: who owns which printer, which device speaks for it, what it is doing now,
// what it did before, and what happened to it.
package printer

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Printer is a machine of somebody's. It is not its device: the computer beside it can be replaced, and the printer
// keeps its name, its cameras and its past.
type Printer struct {
	ID          string
	WorkspaceID string
	Name        string
	Description string
	Pending     bool // its device registered itself; the owner has not named it yet
	UUIDLogin   bool // its owner lets it connect by its UUID alone, where the server allows that
	Disabled    bool // its account is: the device may not connect
	Cameras     []Camera
	UplinkKbps  int // that its cameras may take together; 0: as much as they like
	CreatedAt   time.Time

	// SeenJob is the last job whose failure somebody has acknowledged: no print_failed for it any more.
	SeenJob string
}

// Device is the computer that speaks for a printer, known by a UUID that it made itself.
type Device struct {
	ID         string
	PrinterID  string
	UUID       string
	TokenHash  []byte // SHA-256 of its token; nil: it has none
	Registered bool   // it has acknowledged its registration message
	CreatedAt  time.Time
	ReplacedAt time.Time // zero: it is the one in use
}

// Identity is who a connection is after its log-in.
type Identity struct {
	ID            string // of the device
	UUID          string
	PrinterID     string
	WorkspaceID   string
	Authenticated bool // false: it came in by its UUID alone, which is no secret
}

// Limits on what people enter.
const (
	MaxDescription = 1000 // characters
	MaxCameras     = 8    // a printer
	DefaultMax     = 1000 // printers of a workspace
)

// The problems a caller may want to tell apart.
var (
	ErrUUIDTaken = problem.New(409, "uuid_taken", "This UUID belongs to another account's printer. If the printer is yours, "+
		"remove it from the other account first, or make a new UUID on the device.")
	ErrTooMany  = problem.New(409, "too_many_printers", "This workspace has as many printers as the server allows.")
	ErrNotFound = problem.NotFound("printer")
)

func checkName(s string) (string, error) {
	return workspace.TidyName("name", s)
}

func checkDescription(s string) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	one := strings.NewReplacer("\n", " ", "\t", " ").Replace(s)
	if _, changed := wire.CleanText(one, MaxDescription*utf8.UTFMax); changed || utf8.RuneCountInString(s) > MaxDescription {
		return "", problem.Field("description_invalid", "description",
			"A description has at most 1,000 characters, and no control characters.")
	}
	return s, nil
}

func checkUUID(s string) error {
	if !wire.ValidUUID(s) {
		return problem.Field("uuid_invalid", "uuid", wire.ErrUUID.Error()+".")
	}
	return nil
}
