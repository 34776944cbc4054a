package audit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func newLog(t *testing.T, now *time.Time) *Log {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l := &Log{
		DB: db, Workspaces: &workspace.Service{DB: db, Bus: &bus.Bus{}}, Now: func() time.Time { return *now },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if err := errors.Join(l.Workspaces.Initialize(), l.Initialize()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *Log) mustList(t *testing.T, q Query) []LogItem {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	page, err := l.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func TestRecord_TakesTheActorFromTheContext(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l := newLog(t, &now)
	ctx := workspace.WithActor(t.Context(), workspace.Actor{UserID: "u", Name: "Kim", Via: workspace.ViaToken, Address: "192.0.2.1"})
	e := Entry{WorkspaceID: "w", Action: "printer.remove", Target: Target{Kind: "printer", ID: "p", Name: "프린터"}, Detail: map[string]int{"jobs": 3}}
	if err := l.Record(ctx, nil, e); err != nil {
		t.Fatal(err)
	}
	got := l.mustList(t, Query{WorkspaceIDs: []string{"w"}})
	if len(got) != 1 || got[0].Actor != "Kim" || got[0].Via != "token" || got[0].Address != "192.0.2.1" || got[0].Result != OK ||
		!got[0].At.Equal(now) || got[0].Target != e.Target || string(got[0].Detail) != `{"jobs":3}` {
		t.Fatalf("got %+v", got)
	}
	// What people do with their printers is not the administrator's business; and nobody sees another's workspace.
	for _, q := range []Query{{Server: true}, {WorkspaceIDs: []string{"other"}}, {WorkspaceIDs: []string{}}} {
		if got := l.mustList(t, q); len(got) != 0 {
			t.Errorf("%+v finds %+v", q, got)
		}
	}
}

func TestRecord_WithinATransactionThatFails(t *testing.T) {
	now := time.Now()
	l := newLog(t, &now)
	wanted := errors.New("the change failed")
	err := l.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if err := l.Record(ctx, tx, Entry{Action: "user.change"}); err != nil {
			return err
		}
		return wanted
	})
	if !errors.Is(err, wanted) || len(l.mustList(t, Query{Server: true})) != 0 {
		t.Fatalf("got %v", err)
	}
}

func TestRecord_BoundsWhatItKeeps(t *testing.T) {
	now := time.Now()
	l := newLog(t, &now)
	long := strings.Repeat("가", 5000)
	if err := l.Record(t.Context(), nil, Entry{Actor: long, Action: "a.b", Target: Target{Name: "\xff" + long}, Detail: long}); err != nil {
		t.Fatal(err)
	}
	got := l.mustList(t, Query{Server: true})[0]
	if len(got.Actor) > textLimit || len(got.Target.Name) > textLimit || string(got.Detail) != `{"truncated":true}` || strings.ContainsRune(got.Actor, '\uFFFD') {
		t.Fatalf("kept %d, %d bytes, %s", len(got.Actor), len(got.Target.Name), got.Detail)
	}
}

func TestRecordFailure_IsBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l := newLog(t, &now)
	fail := func(n int, address string) {
		for range n {
			l.RecordFailure(t.Context(), "invalid_credentials", Entry{Action: "session.login", Address: address, Actor: "-"})
		}
	}
	fail(1000, "192.0.2.1")
	if n := len(l.mustList(t, Query{Server: true})); n != 0 {
		t.Fatalf("%d entries before the answer: its time tells of them", n)
	}
	l.writeFailures(t.Context())
	if n := len(l.mustList(t, Query{Server: true})); n != 1 {
		t.Fatalf("%d entries for one kind", n)
	}
	l.flushFailures(t.Context(), false) // the window is not over
	now = now.Add(failureWindow)
	l.flushFailures(t.Context(), false)
	got := l.mustList(t, Query{Server: true})
	if len(got) != 2 || string(got[0].Detail) != `{"repeated":999}` || got[0].Result != Refused {
		t.Fatalf("got %+v", got)
	}
	for i := range failureKinds + 100 {
		fail(1, "2001:db8::"+strconv.Itoa(i))
	}
	l.flushFailures(t.Context(), true)
	all := l.mustList(t, Query{Server: true, Limit: 2000})
	if len(all) != 2+failureKinds+1 || all[0].Action != "failures.many" || string(all[0].Detail) != `{"repeated":100}` {
		t.Fatalf("%d entries, the last %+v", len(all), all[0])
	}
}

func TestDeleteWorkspaces_ForgetsFailures(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l := newLog(t, &now)
	for range 3 {
		l.RecordFailure(t.Context(), "x", Entry{WorkspaceID: "w1", Action: "session.login", Actor: "-", Target: Target{Kind: "user", ID: "u1", Name: "Kim"}})
	}
	if err := l.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return l.DeleteWorkspaces(ctx, tx, []string{"w1"}) }); err != nil {
		t.Fatal(err)
	}
	l.flushFailures(t.Context(), true)
	for _, q := range []Query{{Server: true, Limit: 10}, {WorkspaceIDs: []string{"w1"}, Limit: 10}} {
		for _, e := range l.mustList(t, q) {
			if e.Target != (Target{}) {
				t.Errorf("a deleted account is in the audit again: %+v", e)
			}
		}
	}
}

func TestDeleteOld(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l := newLog(t, &now)
	l.Retention = 30 * 24 * time.Hour
	err := l.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		for range retentionSlice + 10 {
			if err := l.Record(ctx, tx, Entry{Action: "old.one"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(31 * 24 * time.Hour)
	if err := l.Record(t.Context(), nil, Entry{Action: "new.one"}); err != nil {
		t.Fatal(err)
	}
	if err := l.deleteOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := l.mustList(t, Query{Server: true}); len(got) != 1 || got[0].Action != "new.one" {
		t.Fatalf("%d entries left", len(got))
	}
}

func TestList_Search(t *testing.T) {
	now := time.Now()
	l := newLog(t, &now)
	for _, name := range []string{"100% PLA", "100x PLA", "under_score"} {
		if err := l.Record(t.Context(), nil, Entry{Action: "a.b", Actor: "-", Target: Target{Kind: "user", Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string][]string{"100%": {"100% PLA"}, "_": {"under_score"}, "pla": {"100x PLA", "100% PLA"}, `\`: {}, "' OR 1=1 --": {}} {
		got := []string{}
		for _, i := range l.mustList(t, Query{Server: true, Text: text}) {
			got = append(got, i.Target.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
}
