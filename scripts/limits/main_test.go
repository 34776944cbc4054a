package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The pages' limits are those of internal/wire.
func TestTypescript_IsFresh(t *testing.T) {
	got, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(target)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, typescript()) {
		t.Errorf("%s is not what internal/wire says: go run ./scripts/limits", target)
	}
}
