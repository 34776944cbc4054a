package file

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Query is which files of a workspace are asked for.
type Query struct {
	WorkspaceID string
	Folder      string
	Deep        bool   // the folders below, too
	Search      string // part of the name
	Tag         string
	Sort        string // a key of sorts, with - before it the other way round
	After       string // what the page before gave as next
	Limit       int
}

// sorts is what files can be sorted by: an expression that is never null, and whether it is a text.
var sorts = map[string]struct {
	expr string
	text bool
}{
	"name":       {"f.name_key", true},
	"created_at": {"f.created_at", false},
	"size":       {"f.size", false},
	"print_time": {"coalesce(f.print_time, -1)", false},
}

// cursor is where a page ended.
type cursor struct {
	Sort string          `json:"s"`
	Key  json.RawMessage `json:"k"`
	ID   string          `json:"i"`
}

var errCursor = problem.Field("invalid", "after", "This is not what an earlier answer gave as next.")

// List gives a page of files. next is "" on the last one. Errors: problems of the fields.
func (s *Service) List(ctx context.Context, q Query) (list []File, next string, err error) {
	list = []File{}
	column, down := strings.CutPrefix(q.Sort, "-")
	by, ok := sorts[column]
	if !ok {
		return nil, "", problem.Field("invalid", "sort", "Files are sorted by name, created_at, size or print_time; with - before it the other way round.")
	}
	var rows []struct {
		fileRow
		SortKey any
	}
	sel := s.DB.Read.NewSelect().Model((*fileRow)(nil)).ColumnExpr("f.*").ColumnExpr(by.expr+" AS sort_key").
		Where("f.workspace_id = ?", q.WorkspaceID)
	switch {
	case !q.Deep:
		sel = sel.Where("f.folder = ?", q.Folder)
	case q.Folder != "":
		sel = sel.Where("(f.folder = ? OR substr(f.folder, 1, ?) = ?)", q.Folder, len([]rune(q.Folder))+1, q.Folder+"/")
	}
	if q.Search != "" {
		sel = sel.Where(`f.name_key LIKE ? ESCAPE '\'`, "%"+escapeLike(nameKey(q.Search))+"%")
	}
	if q.Tag != "" {
		sel = sel.Where("EXISTS (SELECT 1 FROM json_each(f.tags) AS t WHERE t.value = ?)", q.Tag)
	}
	if sel, err = q.from(sel, by.expr, by.text, down); err != nil {
		return nil, "", err
	}
	order := " ASC"
	if down {
		order = " DESC"
	}
	err = sel.OrderExpr(by.expr+order).OrderExpr("f.id"+order).Limit(int64(q.Limit)+1).Scan(ctx, &rows)
	if err != nil {
		return nil, "", err
	}
	for i := range rows {
		if i == q.Limit {
			return list, pageEnd(q.Sort, rows[i-1].SortKey, rows[i-1].ID), nil
		}
		f, err := rows[i].file()
		if err != nil {
			return nil, "", err
		}
		list = append(list, f)
	}
	return list, "", nil
}

// from begins a page where the one before ended.
func (q *Query) from(sel *bun.SelectQuery, expr string, text, down bool) (*bun.SelectQuery, error) {
	if q.After == "" {
		return sel, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.After)
	var c cursor
	if err != nil || json.Unmarshal(b, &c) != nil || c.Sort != q.Sort {
		return nil, errCursor
	}
	var key any
	if text {
		var s string
		err = json.Unmarshal(c.Key, &s)
		key = s
	} else {
		var n float64
		err = json.Unmarshal(c.Key, &n)
		key = n
	}
	if err != nil {
		return nil, errCursor
	}
	than := ">"
	if down {
		than = "<"
	}
	return sel.Where("("+expr+", f.id) "+than+" (?, ?)", key, c.ID), nil
}

func pageEnd(sort string, key any, id string) string {
	if b, ok := key.([]byte); ok {
		key = string(b)
	}
	k, err := json.Marshal(key)
	if err != nil {
		return ""
	}
	b, err := json.Marshal(cursor{Sort: sort, Key: k, ID: id})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Tags gives every tag of a workspace's files.
func (s *Service) Tags(ctx context.Context, workspaceID string) ([]string, error) {
	list := []string{}
	err := s.DB.Read.NewRaw("SELECT DISTINCT t.value FROM files AS f, json_each(f.tags) AS t WHERE f.workspace_id = ? ORDER BY t.value", workspaceID).Scan(ctx, &list)
	return list, err
}
