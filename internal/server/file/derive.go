package file

import (
	"bufio"
	"errors"
	"io"
	"os"
)

// derive has fill write what is made of a stored file. It appears under its name only when it is whole and on the disk;
// what fill gives otherwise is given back.
func (s *Service) derive(id, to string, fill func(in *os.File, out io.Writer) error) error {
	in, err := os.Open(s.contentPath(id))
	if err != nil {
		return err
	}
	defer in.Close()
	part := to + ".new"
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, pieceSize)
	err = fill(in, w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(part, to)
	}
	if err != nil {
		s.removeFiles(part)
	}
	return err
}
