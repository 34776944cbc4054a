package printer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

var id2addr = netip.MustParseAddr("192.0.2.7")

func TestLogin(t *testing.T) {
	w := open(t)
	ctx := as("mina")
	id := w.enrol(uuidA)
	token, err := w.NewToken(ctx, uuidA)
	if err != nil || !strings.HasPrefix(token, TokenPrefix) || len(token) < 43 {
		t.Fatal(token, err)
	}
	if got, err := w.Login(ctx, uuidA, token, id2addr); err != nil || got != id || !got.Authenticated {
		t.Errorf("%+v %v", got, err)
	}
	for _, c := range []struct{ uuid, token string }{{uuidA, ""}, {uuidA, token + "x"}, {uuidA, strings.ToUpper(token)}, {uuidB, token}, {"", ""}} {
		if _, err := w.Login(ctx, c.uuid, c.token, id2addr); !errors.Is(err, ErrBadLogin) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if err := w.SetDisabled(ctx, []string{"ws-mina"}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Login(ctx, uuidA, token, id2addr); !errors.Is(err, ErrNotAuthorized) {
		t.Errorf("disabled: %v", err)
	}
	if err := w.SetDisabled(ctx, []string{"ws-mina"}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Login(ctx, uuidA, token, id2addr); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	if err := w.Remove(ctx, uuidA); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Login(ctx, uuidA, token, id2addr); !errors.Is(err, ErrNotAuthorized) {
		t.Errorf("removed: %v, want it to be told so", err)
	}
	if _, err := w.Login(ctx, uuidA, "guess", id2addr); !errors.Is(err, ErrBadLogin) {
		t.Errorf("removed and a wrong token: %v", err)
	}
}

func TestLoginByUUID(t *testing.T) {
	w := open(t)
	ctx := as("mina")
	if _, err := w.LoginByUUID(ctx, uuidA, id2addr); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("unknown: %v", err)
	}
	w.enrol(uuidA)
	if _, err := w.LoginByUUID(ctx, uuidA, id2addr); !errors.Is(err, ErrNotAuthorized) {
		t.Errorf("not allowed by its owner: %v", err)
	}
	yes := true
	if err := w.Edit(ctx, uuidA, Edit{UUIDLogin: &yes}); err != nil {
		t.Fatal(err)
	}
	id, err := w.LoginByUUID(ctx, uuidA, id2addr)
	if err != nil || id.Authenticated {
		t.Fatal(id, err)
	}
	w.Connected(id, 9, w.clock.now())
	if !w.view(uuidA).Unauthenticated {
		t.Error("not marked")
	}
	no := false
	if err := w.Edit(ctx, uuidA, Edit{UUIDLogin: &no}); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.devices.ended, uuidA) {
		t.Error("its connection went on")
	}
	w.UUIDLogin = false
	if _, err := w.LoginByUUID(ctx, uuidA, id2addr); !errors.Is(err, ErrNotAuthorized) {
		t.Errorf("not allowed by the server: %v", err)
	}
}

// The published plugin that made its UUID after it had connected says nothing of its printer until it connects anew.
func TestRegistrationAckMakesAMuteDeviceComeBack(t *testing.T) {
	ack := []byte(`{"status":"confirmed","instance_id":"x"}`)
	for name, c := range map[string]struct {
		before func(w *world, id Identity)
		token  bool
		ended  bool
	}{
		"mute":                   {func(*world, Identity) {}, false, true},
		"reports already":        {func(w *world, id Identity) { w.clock.add(time.Second); w.status(id, warm(1)) }, false, false},
		"reported in quarantine": {func(w *world, id Identity) { w.ReportsAlready(id) }, false, false},
		"one of our agents": {func(w *world, id Identity) {
			if err := w.Presence(context.Background(), id, []byte(`{"online":true,"agent":"1.2.3","proto":1}`), w.clock.now(), false); err != nil {
				w.t.Fatal(err)
			}
		}, false, false},
		"came with its token": {func(*world, Identity) {}, true, false},
		"acknowledged before": {func(w *world, id Identity) {
			if err := w.RegistrationAck(context.Background(), id, ack, w.clock.now()); err != nil {
				w.t.Fatal(err)
			}
			w.devices.ended = nil
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			id := w.enrol(uuidA)
			id.Authenticated = c.token
			c.before(w, id)
			if err := w.RegistrationAck(t.Context(), id, ack, w.clock.now()); err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(w.devices.ended, uuidA); got != c.ended {
				t.Errorf("told to come back: %v", got)
			}
		})
	}
}

func TestRegistrationMessageUntilAcknowledged(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	if got := w.devices.take(wire.KindRegistration); len(got) != 1 || !strings.Contains(got[0].body, `"status":"registered"`) || !strings.Contains(got[0].body, "Ender") {
		t.Fatalf("at registration: %v", got)
	}
	for range 2 {
		w.Subscribed(id, wire.KindRegistration)
		if got := w.devices.take(wire.KindRegistration); len(got) != 1 {
			t.Errorf("at SUBSCRIBE: %v", got)
		}
	}
	for _, body := range []string{"", "{}", `{"status":"no"}`, "[]"} {
		if err := w.RegistrationAck(t.Context(), id, []byte(body), w.clock.now()); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if err := w.RegistrationAck(t.Context(), id, []byte(`{"status":"confirmed","instance_id":"x"}`), w.clock.now()); err != nil {
		t.Fatal(err)
	}
	w.Subscribed(id, wire.KindRegistration)
	if got := w.devices.take(wire.KindRegistration); len(got) != 0 {
		t.Errorf("after the ack: %v", got)
	}
	w.restart()
	w.Subscribed(id, wire.KindRegistration)
	if got := w.devices.take(wire.KindRegistration); len(got) != 0 {
		t.Errorf("after a restart: %v", got)
	}
}

func TestWatch(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	count := func() int { return len(w.devices.take(wire.KindWatch)) }
	for _, c := range []struct{ delta, sent int }{{1, 1}, {1, 0}, {-1, 0}, {-1, 1}, {-1, 0}, {1, 1}} {
		w.Watch(uuidA, c.delta)
		if n := count(); n != c.sent {
			t.Errorf("%+d: sent %d, want %d", c.delta, n, c.sent)
		}
	}
	w.Subscribed(id, wire.KindWatch)
	if got := w.devices.take(wire.KindWatch); len(got) != 1 || got[0].body != `{"watched":true}` {
		t.Errorf("at SUBSCRIBE: %v", got)
	}
	w.Watch(uuidB, 1) // unknown: nothing happens
}

func TestConnectionEvents(t *testing.T) {
	w := open(t)
	ctx := t.Context()
	id := w.enrol(uuidA)
	w.sweep(ctx)
	expect := func(what string, want ...string) {
		t.Helper()
		if got := w.events(id); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	expect("first time", "online")
	w.Disconnected(id, 1, false, w.clock.now())
	if w.view(uuidA).Online {
		t.Error("online without a connection")
	}
	w.clock.add(3 * time.Second)
	w.sweep(ctx)
	w.Connected(id, 2, w.clock.now())
	w.clock.add(time.Minute)
	w.sweep(ctx)
	expect("a blink", "online")
	w.Connected(id, 3, w.clock.now()) // takes over; the end of the old one comes after it
	w.Disconnected(id, 2, false, w.clock.now())
	if !w.view(uuidA).Online {
		t.Error("the end of a taken over connection took the new one away")
	}
	w.Disconnected(id, 3, false, w.clock.now())
	w.clock.add(11 * time.Second)
	w.sweep(ctx)
	w.sweep(ctx)
	expect("away", "online", "offline")
	w.Connected(id, 4, w.clock.now())
	w.sweep(ctx)
	expect("back", "online", "offline", "online")

	w.Disconnected(id, 4, true, w.clock.now()) // the server stops
	if err := w.Close(ctx); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.clock.add(20 * time.Second)
	w.sweep(ctx)
	w.Connected(id, 1, w.clock.now())
	w.clock.add(2 * time.Minute)
	w.sweep(ctx)
	expect("a restart of the server is no event", "online", "offline", "online")

	w.status(id, fmt.Sprintf(printing, 1, 10, 60, 600))
	if err := w.checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	w.restart() // killed; the device does not come back
	if got := w.view(uuidA).Attention; len(got) != 0 {
		t.Errorf("attention %v before it had time to come back", got)
	}
	w.clock.add(61 * time.Second)
	w.sweep(ctx)
	expect("gone with a restart", "online", "offline", "online", "offline")
	if got := w.view(uuidA).Attention; !slices.Equal(got, []wire.Attention{wire.AttentionOfflineWhilePrinting}) {
		t.Errorf("attention %v", got)
	}
}

func TestPresence(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	say := func(body string, will bool) error {
		return w.Presence(context.Background(), id, []byte(body), w.clock.now(), will)
	}
	if err := say(`{"online":true,"agent":"1.2.3","proto":1,"caps":["events"],"epoch":"e","since":1772366400,"octoprint":"1.11.8","os":"linux/arm64"}`, false); err != nil {
		t.Fatal(err)
	}
	v := w.view(uuidA)
	if v.Agent == nil || v.Agent.Version != "1.2.3" || v.Agent.OctoPrint != "1.11.8" || len(v.Agent.Caps) != 1 {
		t.Errorf("%+v", v.Agent)
	}
	for _, body := range []string{"", "[]", `{"online":"yes"}`, `{"caps":5}`} {
		if err := say(body, false); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if !w.view(uuidA).Online {
		t.Error("a wrong presence took it away")
	}
	if err := say(`{"online":false}`, true); err != nil {
		t.Fatal(err)
	}
	if v := w.view(uuidA); v.Online || v.Agent == nil {
		t.Errorf("after its will: online %v, agent %v", v.Online, v.Agent)
	}
	if err := say(`{"online":true,"caps":[`+strings.Repeat(`"x",`, 500)+`"x"]}`, false); err != nil {
		t.Fatal(err)
	}
	if v := w.view(uuidA); !v.Online || len(v.Agent.Caps) != maxCaps {
		t.Errorf("online %v, %d caps", v.Online, len(v.Agent.Caps))
	}
}

// Strangers may try UUIDs as fast as they like.
func TestLogin_ReadsNoWholeTable(t *testing.T) {
	w := open(t)
	var plan []struct {
		ID, Parent, Notused int
		Detail              string
	}
	q := w.db.Read.NewSelect().Model((*deviceRow)(nil)).Where("uuid = ?", uuidA).OrderExpr("created_at DESC").Limit(10)
	if err := w.db.Read.NewRaw("EXPLAIN QUERY PLAN "+q.String()).Scan(context.Background(), &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan) == 0 || !strings.Contains(plan[0].Detail, "devices_by_uuid") {
		t.Errorf("plan %+v", plan)
	}
}

// Our agent says what it is before it reports; who reports without is the published plugin. It counts for one connection.
func TestSpeaker(t *testing.T) {
	w := open(t)
	id := w.enrol(uuidA)
	expect := func(when string, agent, published bool) {
		t.Helper()
		online, a, p := w.Speaker(uuidA)
		if !online || a != agent || p != published {
			t.Errorf("%s: online %v, agent %v, published %v", when, online, a, p)
		}
		w.clock.add(time.Second)
	}
	w.Connected(id, 1, w.clock.now())
	expect("at first", false, false)
	if err := w.Presence(context.Background(), id, []byte(`{"online":true,"agent":"1"}`), w.clock.now(), false); err != nil {
		t.Fatal(err)
	}
	expect("presence", true, false)
	w.status(id, `{"state":{"text":"Operational"}}`)
	expect("its report", true, false)
	w.Connected(id, 2, w.clock.now())
	expect("another connection", false, false)
	w.status(id, `{"state":{"text":"Operational"}}`)
	expect("which reports at once", false, true)
}
