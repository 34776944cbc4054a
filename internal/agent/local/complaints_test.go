package local

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestComplaints(t *testing.T) {
	c := NewComplaints(slog.DiscardHandler)
	if c.Enabled(context.Background(), slog.LevelInfo) {
		t.Fatal("asks for what nobody logs")
	}
	log := slog.New(c)
	log.Info("nothing")
	for range 3 {
		log.With("part", "x").Warn("bad", "error", errors.New("why"))
	}
	for i := range keep + 5 {
		log.Error("worse", "error", strings.Repeat("!", i))
	}
	last := c.Last()
	if len(last) != keep || !strings.HasSuffix(last[keep-1].Text, "!!!!") {
		t.Errorf("%+v", last)
	}
	c = NewComplaints(slog.DiscardHandler)
	log = slog.New(c)
	for range 3 {
		log.Warn("bad", "error", &net.DNSError{Err: "no such host", Name: "x"})
	}
	if last := c.Last(); len(last) != 1 || last[0].Count != 3 || last[0].Code != "name_not_found" {
		t.Errorf("%+v", last)
	}
	for _, one := range []struct {
		err  error
		want string
	}{
		{errors.New("why"), "disk_write"},
		{&net.DNSError{Err: "no such host", Name: "x"}, "disk_write"}, // what it was about says more than why
		{fmt.Errorf("write: %w", syscall.ENOSPC), "no_space"},
	} {
		log.Error("bad", "trouble", "disk_write", "error", one.err)
		last := c.Last()
		if got := last[len(last)-1]; got.Code != one.want || strings.Contains(got.Text, "disk_write") {
			t.Errorf("%v: %+v", one.err, got)
		}
	}
}

// TestComplaints_AllHaveACode: what the agent warns of stands in the plugin's page, which has words for codes only. The
// plugin's own tests see to it that there are words for each.
func TestComplaints_AllHaveACode(t *testing.T) {
	warnings := 0
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if name, ok := call.Fun.(*ast.SelectorExpr); !ok || name.Sel.Name != "Warn" && name.Sel.Name != "Error" {
				return true
			}
			warnings++
			if key, ok := call.Args[min(1, len(call.Args)-1)].(*ast.BasicLit); !ok || key.Value != `"`+trouble+`"` {
				t.Errorf("%s: a warning that does not begin with the attribute %q", files.Position(call.Pos()), trouble)
			}
			return true
		})
		return nil
	})
	if err != nil || warnings < 30 {
		t.Error(err, warnings)
	}
}
