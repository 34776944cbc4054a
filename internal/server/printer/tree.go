package printer

import (
	"bytes"
	"context"
	"hash/maphash"
	"iter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// The published plugin has no octoprint/files: its whole file tree is in every snapshot, as "sd". It is looked at once a
// minute, and taken when it is another one than before.
const treeEvery = time.Minute

var treeSeed = maphash.MakeSeed()

// foundTree is a tree on its way to the database.
type foundTree struct {
	id   Identity
	data []byte
	at   time.Time
}

// wantsTree tells whether a printer's snapshot is to be looked through for its tree. t.mu is held.
func (t *twin) wantsTree(at time.Time) bool {
	if t.presence != nil || (!t.treeAt.IsZero() && at.Sub(t.treeAt).Abs() < treeEvery) {
		return false
	}
	t.treeAt = at
	return true
}

// findTree takes the tree out of a snapshot, if it has one that is new, and hands it to the background: a status
// message never waits for the database.
func (s *Service) findTree(t *twin, id Identity, payload []byte, at time.Time) {
	tree := fieldOf(payload, "sd")
	if len(tree) == 0 {
		return
	}
	hash := maphash.Bytes(treeSeed, tree)
	t.mu.Lock()
	known := t.treeHash == hash
	t.treeHash = hash
	t.mu.Unlock()
	if known {
		return
	}
	select {
	case s.trees <- foundTree{id, bytes.Clone(tree), at}:
	default: // many at once, as after a start: the next minute will do
		t.mu.Lock()
		t.treeHash = 0
		t.mu.Unlock()
	}
}

// fieldOf gives the raw value of a field of a JSON object, without keeping any other.
func fieldOf(object []byte, name string) jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return nil
	}
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		if t.String() == name {
			v, err := dec.ReadValue()
			if err != nil {
				return nil
			}
			return v
		}
		if dec.SkipValue() != nil {
			return nil
		}
	}
	return nil
}

// runTrees stores the trees that were found in snapshots.
func (s *Service) runTrees(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-s.trees:
			if err := s.storeTree(ctx, f); err != nil && ctx.Err() == nil {
				s.log.Warn("file tree not stored", "printer", f.id.PrinterID, "err", err)
			}
		}
	}
}

func (s *Service) storeTree(ctx context.Context, f foundTree) error {
	tree := flatten(f.data)
	b, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return s.Files(ctx, f.id, b, f.at)
}

// node is a file or folder as OctoPrint lists them. Folders have children: a list, or an object by name.
type node struct {
	Name     string         `json:"name"`
	Path     string         `json:"path"`
	Type     string         `json:"type"`
	Size     jsontext.Value `json:"size"`
	Date     jsontext.Value `json:"date"`
	Children jsontext.Value `json:"children"`
}

// maxDepth is how deep folders are followed.
const maxDepth = 20

// flatten makes the two flat lists of a tree. What is not a file as OctoPrint lists them is left out.
func flatten(data []byte) wire.Files {
	var lists struct {
		Local  jsontext.Value `json:"local"`
		SDCard jsontext.Value `json:"sdcard"`
	}
	tree := wire.Files{Local: []wire.DeviceFile{}, SDCard: []wire.DeviceFile{}}
	if json.Unmarshal(data, &lists, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return tree
	}
	tree.Local = flattenInto(tree.Local, lists.Local, 0, &tree.Omitted)
	tree.SDCard = flattenInto(tree.SDCard, lists.SDCard, 0, &tree.Omitted)
	return tree
}

func flattenInto(list []wire.DeviceFile, nodes jsontext.Value, depth int, omitted *int) []wire.DeviceFile {
	for raw := range members(nodes) {
		var n node
		if json.Unmarshal(raw, &n, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
			continue
		}
		switch {
		case len(n.Children) > 0 || n.Type == "folder":
			if depth < maxDepth {
				list = flattenInto(list, n.Children, depth+1, omitted)
			}
		case n.Type != "" && n.Type != "machinecode": // models cannot be printed
		case len(list) >= wire.MaxTreeSize:
			*omitted++
		default:
			f := wire.DeviceFile{Path: n.Path}
			if f.Path == "" {
				f.Path = n.Name
			}
			if f.Path == "" {
				continue
			}
			if json.Unmarshal(n.Size, &f.Size) != nil {
				f.Size = 0
			}
			if json.Unmarshal(n.Date, &f.Date) != nil {
				f.Date = 0
			}
			list = append(list, f)
		}
	}
	return list
}

// members gives the values of a list or of an object, one after the other: a hostile tree has a million.
func members(v jsontext.Value) iter.Seq[jsontext.Value] {
	return func(yield func(jsontext.Value) bool) {
		kind := v.Kind()
		if kind != '[' && kind != '{' {
			return
		}
		dec := jsontext.NewDecoder(bytes.NewBuffer(v), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		_, err := dec.ReadToken()
		for err == nil && dec.PeekKind() != ']' && dec.PeekKind() != '}' {
			if kind == '{' {
				if _, err = dec.ReadToken(); err != nil { // its name
					return
				}
			}
			var m jsontext.Value
			if m, err = dec.ReadValue(); err != nil || !yield(m) {
				return
			}
		}
	}
}
