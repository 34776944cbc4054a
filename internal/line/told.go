package line

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Told is an error for whoever runs the program, in both languages.
type Told struct {
	English, Korean string
	Err             error // what it came from, or nil
}

func (t *Told) Error() string { return t.English }

func (t *Told) Unwrap() error { return t.Err }

// Tell makes a Told of two texts that have the same arguments; %[2]q takes the second. Both must use all of them.
func Tell(english, korean string, args ...any) *Told {
	t := &Told{English: fmt.Sprintf(english, args...), Korean: fmt.Sprintf(korean, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			t.Err = err
		}
	}
	return t
}

// At says in front of an error where it was made.
func At(where string, err error) error {
	return &Told{English: where + ": " + err.Error(), Korean: where + ": " + InKorean(err), Err: err}
}

// InKorean gives what an error says in Korean, of joined ones a line each. What has no Korean says it in English.
func InKorean(err error) string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, one := range joined.Unwrap() {
			lines = append(lines, InKorean(one))
		}
		return strings.Join(lines, "\n")
	}
	if t, ok := errors.AsType[*Told](err); ok {
		return t.Korean
	}
	return Reason(err)
}

// Reason says in Korean why the system refused a file.
func Reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "파일이나 폴더가 없습니다"
	case errors.Is(err, fs.ErrPermission):
		return "권한이 없습니다"
	case errors.Is(err, fs.ErrExist):
		return "같은 이름이 이미 있습니다"
	}
	return err.Error()
}
