package file

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// yard is printers, their devices and what they are told, for tests. A printer belongs to the workspace of its name. mu
// guards it all.
type yard struct {
	mu       sync.Mutex
	printers map[string]Printer // by UUID
	given    []wire.Command
	answer   Answer
	err      error
	sent     []gcodeIn
	full     int // times that the queue is full
	take     func(y *yard, m gcodeIn)
	files    []string
	access   rights
}

func (y *yard) Authorize(ctx context.Context, uuid string, action workspace.Action) (string, string, error) {
	y.mu.Lock()
	p, ok := y.printers[uuid]
	y.mu.Unlock()
	if !ok {
		return "", "", problem.NotFound("printer")
	}
	actor, _ := workspace.ActorFrom(ctx)
	if err := y.access.Can(ctx, actor, action, workspace.Target{WorkspaceID: p.WorkspaceID}); err != nil {
		return "", "", err
	}
	return p.ID, p.WorkspaceID, nil
}

func (y *yard) Describe(_ context.Context, uuid string) (Printer, bool, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	p, ok := y.printers[uuid]
	return p, ok, nil
}

func (y *yard) DeviceLogin(_ context.Context, uuid, token string) (string, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if p, ok := y.printers[uuid]; ok && token == "secret-"+uuid {
		return p.ID, nil
	}
	return "", errors.New("no")
}

func (y *yard) DeviceFiles(context.Context, string, string) ([]string, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.files, nil
}

func (y *yard) Do(_ context.Context, _ string, c wire.Command) (Answer, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.given = append(y.given, c)
	return y.answer, y.err
}

func (y *yard) Publish(_ string, kind wire.Kind, payload []byte, qos byte) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if kind != wire.KindGcodeIn || qos != 1 {
		return fmt.Errorf("kind %d at QoS %d", kind, qos)
	}
	if y.full > 0 {
		y.full--
		return ErrQueueFull
	}
	var m gcodeIn
	if err := json.Unmarshal(payload, &m); err != nil {
		return err
	}
	y.sent = append(y.sent, m)
	if y.take != nil {
		y.take(y, m)
	}
	return nil
}

func (y *yard) set(change func(y *yard)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	change(y)
}

const (
	ours   = "0b9c7b8e-1111-4222-8333-444455556666"
	theirs = "0b9c7b8e-1111-4222-8333-444455557777"
	old    = "0b9c7b8e-1111-4222-8333-444455558888" // the published plugin's
)

// newShop is a house with printers: one of ours and a published one of kim's, and one of lee's.
func newShop(t *testing.T, change ...func(*Service)) (*house, *yard) {
	t.Helper()
	fit := gcode.Printer{Space: gcode.Volume(220, 220, 250, false), Tools: 1, MaxNozzle: 300, MaxBed: 130}
	y := &yard{answer: Answer{OK: true, Code: wire.ResultDone}, printers: map[string]Printer{
		ours:   {ID: "p1", WorkspaceID: "kim", Name: "Ender", Online: true, Transfers: true, Status: wire.StatusIdle, Fit: fit},
		theirs: {ID: "p2", WorkspaceID: "lee", Name: "Prusa", Online: true, Transfers: true, Status: wire.StatusIdle, Fit: fit},
		old:    {ID: "p3", WorkspaceID: "kim", Name: "Old", Online: true, Published: true, Status: wire.StatusIdle, Fit: fit},
	}}
	h := newHouse(t, append(change, func(s *Service) { s.Printers, s.Commands, s.Devices = y, y, y })...)
	y.access = h.roles
	h.times = publishedTimes{stall: patience, answer: patience, begin: patience, pace: time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := h.Service.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h, y
}

func (h *house) transfers(user, uuid string) []Transfer {
	h.t.Helper()
	var list struct{ Items []Transfer }
	h.call(user, "GET", "/api/v1/printers/"+uuid+"/transfers", nil, &list)
	return list.Items
}

func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.After(patience); !ok(); {
		select {
		case <-end:
			h.t.Fatalf("never happened: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (h *house) report(printerID string, m wire.Transfer) error {
	b, err := json.Marshal(m)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.Progress(h.t.Context(), printerID, b)
}

func basic(uuid, token string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(uuid+":"+token))
}

const square = "G28\nM104 S200\nG1 Z0.2\nG1 X10 Y10 F3000\nG1 X100 Y10 E5\nG1 X100 Y100 E10\nG1 X10 Y100 E15\nM104 S0\nM84\n"

func TestPrint_OurAgent(t *testing.T) {
	h, y := newShop(t)
	f := h.upload("kim", square, "filename", "정사각형.gcode")
	var pushed []string
	var mu sync.Mutex
	defer h.Bus.TransferChanged.Subscribe(func(m bus.TransferChanged) {
		mu.Lock()
		defer mu.Unlock()
		var v Transfer
		if err := json.Unmarshal(m.JSON, &v); err == nil && m.UUID == ours {
			pushed = append(pushed, string(v.Stage))
		}
	})()
	var tr Transfer
	if a := h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID}, &tr); a.status != 202 || tr.Stage != wire.TransferWaiting || !tr.Print || tr.Target != "local" {
		t.Fatalf("%s", a)
	}
	c := y.given[0]
	if c.Type != wire.CommandFetchFile || c.Fetch.Name != "정사각형.gcode" || c.Fetch.Size != int64(len(square)) || c.Fetch.SHA256 != sumOf(square) || !c.Fetch.Print || c.Fetch.Target != "local" {
		t.Fatalf("%+v", c.Fetch)
	}
	if err := c.Check(wire.Limits{}); err != nil {
		t.Errorf("the device would refuse it: %v", err)
	}
	at := "/api/device/files/" + c.Fetch.Token
	if a := h.do("", "GET", at, nil, basic(ours, "secret-"+ours)); a.status != 200 || string(a.body) != square {
		t.Errorf("%s", a)
	}
	if a := h.do("", "GET", at, nil, basic(ours, "secret-"+ours), "Range: bytes=10-"); a.status != 206 || string(a.body) != square[10:] || a.header.Get("ETag") != `"`+sumOf(square)+`"` {
		t.Errorf("%s", a)
	}
	for name, a := range map[string]answer{
		"nobody":        h.do("kim", "GET", at, nil),
		"wrong token":   h.do("", "GET", at, nil, basic(ours, "x")),
		"no uuid":       h.do("", "GET", at, nil, basic("x", "secret-x")),
		"unknown token": h.do("", "GET", at+"x", nil, basic(ours, "secret-"+ours)),
		"other device":  h.do("", "GET", at, nil, basic(theirs, "secret-"+theirs)),
		"other way":     h.do("", "PUT", at, strings.NewReader("x"), basic(ours, "secret-"+ours), "Upload-Length: 1", "Upload-Offset: 0"),
	} {
		want := http.StatusGone
		if name == "nobody" || name == "wrong token" || name == "no uuid" {
			want = http.StatusUnauthorized
		}
		if a.status != want {
			t.Errorf("%s: %s, want %d", name, a, want)
		}
	}
	for _, m := range []wire.Transfer{
		{ID: tr.ID, Stage: wire.TransferFetching, Bytes: 10, Total: 100}, {ID: tr.ID, Stage: wire.TransferFetching, Bytes: 50, Total: 100},
		{ID: tr.ID, Stage: wire.TransferChecking}, {ID: tr.ID, Stage: wire.TransferUploading, Bytes: 7, Total: 100},
	} {
		if err := h.report("p1", m); err != nil {
			t.Fatal(err)
		}
	}
	if list := h.transfers("kim", ours); len(list) != 1 || list[0].Stage != wire.TransferUploading || list[0].Bytes != 7 || list[0].EndedAt != nil {
		t.Errorf("%+v", list)
	}
	for name, m := range map[string]wire.Transfer{"unknown": {ID: "x", Stage: wire.TransferDone}, "stage": {ID: tr.ID, Stage: "dancing"}, "negative": {ID: tr.ID, Stage: wire.TransferFetching, Bytes: -1}} {
		if err := h.report("p1", m); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.report("p2", wire.Transfer{ID: tr.ID, Stage: wire.TransferDone}); !errors.Is(err, ErrInvalid) {
		t.Errorf("of another printer: %v", err)
	}
	if err := h.report("p1", wire.Transfer{ID: tr.ID, Stage: wire.TransferDone, Path: "정사각형 (2).gcode"}); err != nil {
		t.Fatal(err)
	}
	if list := h.transfers("kim", ours); list[0].Stage != wire.TransferDone || list[0].Path != "정사각형 (2).gcode" || list[0].EndedAt == nil {
		t.Errorf("%+v", list)
	}
	if err := h.report("p1", wire.Transfer{ID: tr.ID, Stage: wire.TransferFailed, Code: "late"}); err != nil {
		t.Error(err)
	}
	if list := h.transfers("kim", ours); list[0].Stage != wire.TransferDone {
		t.Errorf("an end is no end: %+v", list)
	}
	if a := h.do("", "GET", at, nil, basic(ours, "secret-"+ours)); a.status != http.StatusGone {
		t.Errorf("its token is good after its end: %s", a)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(pushed, " "); got != "waiting fetching fetching checking uploading done" {
		t.Errorf("pushed: %s", got)
	}
}

func TestPrint_TokenEndsAnHourAfterItsLastUse(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	h, y := newShop(t, func(s *Service) { s.Now = clock })
	f := h.upload("kim", square, "filename", "a.gcode")
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID}, nil)
	at := "/api/device/files/" + y.given[0].Fetch.Token
	for range 3 {
		pass(50 * time.Minute)
		if a := h.do("", "GET", at, nil, basic(ours, "secret-"+ours), "Range: bytes=0-1"); a.status != 206 {
			t.Fatalf("in use: %s", a)
		}
	}
	pass(61 * time.Minute)
	if a := h.do("", "GET", at, nil, basic(ours, "secret-"+ours)); a.status != http.StatusGone {
		t.Errorf("%s", a)
	}
	if err := h.endStill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := h.transfers("kim", ours); list[0].Stage != wire.TransferFailed || list[0].Code != codeAbandoned {
		t.Errorf("%+v", list)
	}
}

func TestPrint_EndsWithTheRightsOfWhoWantedIt(t *testing.T) {
	h, y := newShop(t)
	h.roles["lee/kim"] = workspace.RoleOperator
	f := h.upload("kim", square, "filename", "a.gcode")
	h.call("lee", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID, "print": false}, nil)
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID}, nil)
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/files/bring", map[string]any{"origin": "local", "path": "b.gcode"}, nil)
	if len(y.given) != 3 {
		t.Fatal(y.given)
	}
	fetch := func(n, want int) {
		t.Helper()
		if a := h.do("", "GET", "/api/device/files/"+y.given[n].Fetch.Token, nil, basic(ours, "secret-"+ours)); a.status != want {
			t.Errorf("order %d: %s", n, a)
		}
	}
	fetch(0, 200)
	fetch(1, 200)
	h.roles["lee/kim"] = workspace.RoleViewer
	fetch(0, http.StatusGone)
	fetch(1, 200)
	y.set(func(y *yard) { // kim gives the printer away
		p := y.printers[ours]
		p.WorkspaceID = "park"
		y.printers[ours] = p
	})
	fetch(1, http.StatusGone)
	if a := h.do("", "PUT", "/api/device/files/"+y.given[2].Send.Token, strings.NewReader(cube), basic(ours, "secret-"+ours),
		"Upload-Length: "+fmt.Sprint(len(cube)), "Upload-Offset: 0"); a.status != http.StatusGone {
		t.Errorf("a file of the new owner's: %s", a)
	}
}

func TestPrint_Refusals(t *testing.T) {
	h, y := newShop(t)
	h.roles["viewer/kim"] = "viewer"
	good := h.upload("kim", square, "filename", "good.gcode")
	wide := h.upload("kim", strings.ReplaceAll(square, "X100", "X300"), "filename", "wide.gcode")
	hot := h.upload("kim", strings.ReplaceAll(square, "S200", "S350"), "filename", "hot.gcode")
	tool := h.upload("kim", strings.ReplaceAll(square, "G1 Z0.2", "T1\nG1 Z0.2"), "filename", "tool.gcode")
	bad := h.upload("kim", square+"\x01\x02\x03 rubbish\n", "filename", "bad.gcode")
	h.until("all are looked into", func() bool {
		n, err := h.DB.Read.NewSelect().Model((*fileRow)(nil)).Where("analysis = ?", AnalysisWaiting).Count(t.Context())
		return err == nil && n == 0
	})
	print := func(user, uuid, file string, more ...any) answer {
		body := map[string]any{"file": file}
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return h.call(user, "POST", "/api/v1/printers/"+uuid+"/print", body, nil)
	}
	check := func(name string, a answer, status int, code string) {
		t.Helper()
		if a.status != status || a.code() != code {
			t.Errorf("%s: %s, want %d %s", name, a, status, code)
		}
	}
	check("a viewer", print("viewer", ours, good.ID), 403, "not_allowed")
	check("a stranger", print("stranger", ours, good.ID), 404, "not_found")
	check("a file of another's", print("lee", theirs, good.ID), 422, "no_file")
	check("no file", print("kim", ours, "x"), 422, "no_file")
	check("too wide", print("kim", ours, wide.ID), 409, "does_not_fit")
	check("too hot", print("kim", ours, hot.ID), 409, "does_not_fit")
	check("a tool too many", print("kim", ours, tool.ID), 409, "does_not_fit")
	check("hostile", print("kim", ours, bad.ID), 409, "file_refused")
	if len(y.given) != 0 {
		t.Fatalf("a refusal told the printer something: %+v", y.given)
	}
	check("too wide anyway", print("kim", ours, wide.ID, "anyway", true), 202, "")
	check("another meanwhile", print("kim", ours, good.ID), 409, "transfer_under_way")
	if err := h.report("p1", wire.Transfer{ID: y.given[0].Fetch.Transfer, Stage: wire.TransferDone}); err != nil {
		t.Fatal(err)
	}
	var fit Fit
	if a := h.call("viewer", "GET", "/api/v1/printers/"+ours+"/fit?file="+wide.ID, nil, &fit); !fit.Ready || len(fit.Problems) == 0 || fit.Problems[0].Axis != "x" {
		t.Errorf("%s", a)
	}
	if h.call("kim", "GET", "/api/v1/printers/"+ours+"/fit?file="+good.ID, nil, &fit); len(fit.Problems) != 0 || fit.Refused != "" {
		t.Errorf("%+v", fit)
	}
	y.set(func(y *yard) { p := y.printers[ours]; p.Status = wire.StatusPrinting; y.printers[ours] = p })
	check("while it prints", print("kim", ours, good.ID), 409, "not_now")
	check("while it prints, only there", print("kim", ours, good.ID, "print", false), 202, "")
	y.set(func(y *yard) {
		p := y.printers[ours]
		p.Status, p.Transfers = wire.StatusIdle, false
		y.printers[ours] = p
	})
	check("an old agent", print("kim", ours, good.ID), 409, "agent_too_old")
	y.set(func(y *yard) { p := y.printers[ours]; p.Transfers, p.Online = true, false; y.printers[ours] = p })
	check("away", print("kim", ours, good.ID), 409, "device_offline")
	y.set(func(y *yard) {
		p := y.printers[ours]
		p.Online = true
		y.printers[ours] = p
		y.answer = Answer{Code: wire.ResultFailed, Message: "no room"}
	})
	if a := print("kim", ours, good.ID); a.status != 202 {
		t.Errorf("a device that says no: %s", a)
	}
	if list := h.transfers("kim", ours); list[0].Stage != wire.TransferFailed || list[0].Message != "no room" {
		t.Errorf("%+v", list[0])
	}
	y.set(func(y *yard) { y.err = problem.New(409, "device_offline", "away") })
	check("a device that went", print("kim", ours, good.ID), 409, "device_offline")
}

func TestPrint_IDWithNUL(t *testing.T) {
	h, _ := newShop(t)
	if a := h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": "a\x00b"}, nil); a.code() != "no_file" {
		t.Errorf("%s", a)
	}
}

func TestPrint_ClickedTwice(t *testing.T) {
	h, y := newShop(t)
	f := h.upload("kim", square, "filename", "a.gcode")
	var ids sync.Map
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			a := h.do("kim", "POST", "/api/v1/printers/"+ours+"/print", strings.NewReader(`{"file":"`+f.ID+`"}`), "Content-Type: application/json", "Idempotency-Key: k1")
			var tr Transfer
			if err := json.Unmarshal(a.body, &tr); err != nil || a.status != 202 {
				t.Errorf("%s", a)
			}
			ids.Store(tr.ID, true)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 || len(y.given) != 1 {
		t.Errorf("%d transfers, %d commands", n, len(y.given))
	}
}

// Of two people who print two files on one printer one is told that the other's is on its way.
func TestPrint_TwoPeopleAtOnce(t *testing.T) {
	h, y := newShop(t)
	h.roles["lee/kim"] = "operator"
	print := func(user, name string) answer {
		f := h.upload("kim", square+";"+name+"\n", "filename", name)
		return h.call(user, "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID}, nil)
	}
	answers := map[string]answer{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, user := range []string{"kim", "lee"} {
		wg.Go(func() {
			a := print(user, user+".gcode")
			mu.Lock()
			defer mu.Unlock()
			answers[user] = a
		})
	}
	wg.Wait()
	first, second := answers["kim"], answers["lee"]
	if first.status != 202 {
		first, second = second, first
	}
	if first.status != 202 || second.status != 409 || second.code() != "transfer_under_way" || len(y.given) != 1 {
		t.Fatalf("%s, %s, %d commands", first, second, len(y.given))
	}
	var tr Transfer
	if a := h.call("lee", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": h.upload("kim", square, "filename", "c.gcode").ID, "print": false}, &tr); a.status != 202 {
		t.Errorf("one that is only to be sent: %s", a)
	}
	if err := h.report("p1", wire.Transfer{ID: y.given[0].Fetch.Transfer, Stage: wire.TransferDone, Path: "x.gcode"}); err != nil {
		t.Fatal(err)
	}
	if a := print("lee", "again.gcode"); a.status != 202 {
		t.Errorf("after the first: %s", a)
	}
}

func TestCancel(t *testing.T) {
	h, y := newShop(t)
	h.roles["viewer/kim"] = "viewer"
	f := h.upload("kim", square, "filename", "a.gcode")
	var tr Transfer
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID}, &tr)
	path := "/api/v1/printers/" + ours + "/transfers/" + tr.ID
	if a := h.call("viewer", "DELETE", path, nil, nil); a.status != 403 {
		t.Errorf("%s", a)
	}
	if a := h.call("lee", "DELETE", "/api/v1/printers/"+theirs+"/transfers/"+tr.ID, nil, nil); a.status != 404 {
		t.Errorf("by way of another printer: %s", a)
	}
	if a := h.call("kim", "DELETE", path, nil, nil); a.status != 204 {
		t.Errorf("%s", a)
	}
	if a := h.do("", "GET", "/api/device/files/"+y.given[0].Fetch.Token, nil, basic(ours, "secret-"+ours)); a.status != http.StatusGone {
		t.Errorf("%s", a)
	}
	if a := h.call("kim", "DELETE", path, nil, nil); a.code() != "already_ended" {
		t.Errorf("%s", a)
	}
	// The device had it by then: the truth counts.
	if err := h.report("p1", wire.Transfer{ID: tr.ID, Stage: wire.TransferDone, Path: "a.gcode"}); err != nil {
		t.Fatal(err)
	}
	if list := h.transfers("kim", ours); list[0].Stage != wire.TransferDone {
		t.Errorf("%+v", list[0])
	}
}

func TestBring(t *testing.T) {
	h, y := newShop(t)
	var tr Transfer
	if a := h.call("kim", "POST", "/api/v1/printers/"+ours+"/files/bring", map[string]string{"origin": "local", "path": "old/통.gcode", "folder": "from printer"}, &tr); a.status != 202 {
		t.Fatalf("%s", a)
	}
	c := y.given[0]
	if c.Type != wire.CommandSendFile || c.Path != "old/통.gcode" || c.Origin != "local" || c.Check(wire.Limits{}) != nil {
		t.Errorf("%+v", c)
	}
	at, login := "/api/device/files/"+c.Send.Token, basic(ours, "secret-"+ours)
	length := "Upload-Length: " + fmt.Sprint(len(square))
	if a := h.do("", "HEAD", at, nil, login); a.status != 204 || a.header.Get("Upload-Offset") != "0" {
		t.Errorf("%s %v", a, a.header)
	}
	if a := h.do("", "PUT", at, strings.NewReader(square[:20]), login, length, "Upload-Offset: 0"); a.status != 409 || a.code() != "offset" {
		t.Errorf("cut: %s", a)
	}
	if a := h.do("", "HEAD", at, nil, login); a.header.Get("Upload-Offset") != "20" {
		t.Errorf("%v", a.header)
	}
	if a := h.do("", "HEAD", at, nil, basic(theirs, "secret-"+theirs)); a.status != http.StatusGone {
		t.Errorf("another device: %s", a)
	}
	// That a file is in the library is the server's to say, and more than all of it is on no way.
	for _, m := range []wire.Transfer{{ID: tr.ID, Stage: wire.TransferDone}, {ID: tr.ID, Stage: wire.TransferFetching, Bytes: 900, Total: 100}} {
		if err := h.report("p1", m); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if got := h.transfers("kim", ours)[0]; got.Stage != wire.TransferFetching || got.EndedAt != nil || got.Bytes != 100 {
		t.Errorf("what its device claims: %+v", got)
	}
	if a := h.do("", "PUT", at, strings.NewReader(square[20:]), login, length, "Upload-Offset: 20"); a.status != 204 {
		t.Fatalf("%s", a)
	}
	var list struct{ Items []File }
	if h.call("kim", "GET", "/api/v1/files?folder=from+printer", nil, &list); len(list.Items) != 1 || list.Items[0].Name != "통.gcode" || list.Items[0].SHA256 != sumOf(square) || list.Items[0].Source != SourcePrinter {
		t.Errorf("%+v", list)
	}
	if got := h.transfers("kim", ours)[0]; got.Stage != wire.TransferDone || got.FileID != list.Items[0].ID {
		t.Errorf("%+v", got)
	}
	// What it sends is looked at like everything else.
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/files/bring", map[string]string{"origin": "local", "path": "x.gcode"}, nil)
	at = "/api/device/files/" + y.given[1].Send.Token
	if a := h.do("", "PUT", at, strings.NewReader("no G-code at all\n"), login, "Upload-Length: 17", "Upload-Offset: 0"); a.code() != codeNotGcode {
		t.Errorf("%s", a)
	}
	if got := h.transfers("kim", ours)[0]; got.Stage != wire.TransferFailed || got.Code != codeNotGcode {
		t.Errorf("%+v", got)
	}
	if a := h.call("kim", "POST", "/api/v1/printers/"+ours+"/files/bring", map[string]string{"origin": "local", "path": "config.yaml"}, nil); a.code() != "name_extension" {
		t.Errorf("%s", a)
	}
}

// What came of a file that its device sends takes no room any more once that has ended.
func TestBring_EndedMidway(t *testing.T) {
	h, y := newShop(t)
	var tr Transfer
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/files/bring", map[string]string{"origin": "local", "path": "통.gcode"}, &tr)
	at, login := "/api/device/files/"+y.given[0].Send.Token, basic(ours, "secret-"+ours)
	length := "Upload-Length: " + fmt.Sprint(len(square))
	if a := h.do("", "PUT", at, strings.NewReader(square[:20]), login, length, "Upload-Offset: 0"); a.status != 409 {
		t.Fatalf("%s", a)
	}
	used := func() int64 {
		var u Usage
		h.call("kim", "GET", "/api/v1/files/usage", nil, &u)
		return u.Bytes
	}
	if got := used(); got != int64(len(square)) {
		t.Fatalf("%d bytes are counted while it is under way", got)
	}
	if now, ok := h.Current("p1"); !ok || now.ID != tr.ID || now.Total != int64(len(square)) {
		t.Errorf("what is shown beside the printer: %v %+v", ok, now)
	}
	if a := h.call("kim", "DELETE", "/api/v1/printers/"+ours+"/transfers/"+tr.ID, nil, nil); a.status != 204 {
		t.Fatalf("%s", a)
	}
	h.until("the room is free again", func() bool { return used() == 0 })
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if a := h.do("", "PUT", at, strings.NewReader(square[20:]), login, length, "Upload-Offset: 20"); a.status != http.StatusGone {
		t.Errorf("after its end: %s", a)
	}
	if now, ok := h.Current("p1"); ok {
		t.Errorf("still shown beside the printer: %+v", now)
	}
}

// After a restart a printer still shows the file that is on its way.
func TestCurrent_OverRestarts(t *testing.T) {
	h, _ := newShop(t)
	f := h.upload("kim", square, "filename", "a.gcode")
	var first, second Transfer
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID, "print": false}, &first)
	h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID, "print": false}, &second)
	h.moved = live{}
	if err := h.recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Transfer{first, second} {
		if now, ok := h.Current("p1"); !ok || now.ID != want.ID {
			t.Errorf("%v %+v, want %s", ok, now, want.ID)
		}
		if err := h.report("p1", wire.Transfer{ID: want.ID, Stage: wire.TransferDone, Path: "a.gcode"}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnalysis_OverRestarts(t *testing.T) {
	dir := t.TempDir()
	h := openHouse(t, dir)
	f := h.upload("kim", square, "filename", "a.gcode") // nothing analyses it: Run has not begun
	h2 := openHouse(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h2.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	var got File
	h2.until("it is looked into after a restart", func() bool {
		h2.call("kim", "GET", "/api/v1/files/"+f.ID, nil, &got)
		return got.Analysis.State == AnalysisDone
	})
	if a := got.Analysis; a.Bounds == nil || a.Bounds.MaxX != 100 || a.Height < 0.19 || len(a.Filament) != 1 || a.Temperatures == nil || a.Temperatures.Tools[0] != 200 {
		t.Errorf("%+v", got.Analysis)
	}
	second := h2.upload("kim", square, "filename", "b.gcode")
	h2.until("one that comes later, too", func() bool {
		h2.call("kim", "GET", "/api/v1/files/"+second.ID, nil, &got)
		return got.Analysis.State == AnalysisDone
	})
}

func TestAnalysis_OneThatEndsTheServerIsGivenUp(t *testing.T) {
	h := newHouse(t)
	f := h.upload("kim", square, "filename", "a.gcode")
	for range maxTries {
		if row, err := h.nextWaiting(t.Context()); err != nil || row == nil { // and the server is killed
			t.Fatal(row, err)
		}
	}
	row, err := h.nextWaiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.analyseOne(t.Context(), row)
	var got File
	if h.call("kim", "GET", "/api/v1/files/"+f.ID, nil, &got); got.Analysis.State != AnalysisFailed || got.Analysis.Code != codeCrash {
		t.Errorf("%+v", got.Analysis)
	}
}

func TestThumbnails(t *testing.T) {
	h, _ := newShop(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 16, 16))); err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(picture.Bytes())
	f := h.upload("kim", fmt.Sprintf("; thumbnail begin 16x16 %d\n; %s\n; thumbnail end\n%s", len(text), text, square), "filename", "sample.gcode")
	h.until("it is looked into", func() bool {
		h.call("kim", "GET", "/api/v1/files/"+f.ID, nil, &f)
		return f.Analysis.State == AnalysisDone
	})
	if len(f.Analysis.Thumbnails) != 1 {
		t.Fatalf("%+v", f.Analysis)
	}
	for n, thumb := range f.Analysis.Thumbnails {
		a := h.do("kim", "GET", fmt.Sprintf("/api/v1/files/%s/thumbnails/%d", f.ID, n), nil)
		if a.status != 200 || a.header.Get("Content-Type") != thumb.Type || http.DetectContentType(a.body) != thumb.Type {
			t.Errorf("%d: %d %s", n, a.status, a.header.Get("Content-Type"))
		}
	}
	if a := h.do("kim", "GET", "/api/v1/files/"+f.ID+"/thumbnails/99", nil); a.code() != "no_thumbnail" {
		t.Errorf("%s", a)
	}
	if a := h.do("lee", "GET", "/api/v1/files/"+f.ID+"/thumbnails/0", nil); a.status != 404 {
		t.Errorf("%s", a)
	}
}

// What slicers write is taken, and whole: no file of theirs is refused for what it is.
func TestSamples(t *testing.T) {
	h, y := newShop(t)
	names, err := filepath.Glob("gcode/testdata/*.*gcode")
	if err != nil || len(names) < 8 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		sample, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := h.upload("kim", string(sample), "filename", filepath.Base(name))
		h.until("it is looked into", func() bool {
			h.call("kim", "GET", "/api/v1/files/"+f.ID, nil, &f)
			return f.Analysis.State != AnalysisWaiting
		})
		if f.Analysis.State != AnalysisDone || f.Analysis.Layers == 0 || f.Analysis.EstimatedTime == nil || len(f.Analysis.Filament) == 0 {
			t.Errorf("%s: %+v", name, f.Analysis)
		}
		// Its first half is refused, or at least not to be printed.
		if kindOf(name) == KindText {
			half := string(sample[:len(sample)/2])
			a := h.create("kim", len(half), "filename", "half.gcode")
			if a = h.patch("kim", a.header.Get("Location"), 0, half); a.status == 204 && strings.Contains(name, "prusa") {
				t.Errorf("half of %s is taken", name)
			}
			continue
		}
		y.set(func(y *yard) { y.given = nil })
		if a := h.call("kim", "POST", "/api/v1/printers/"+ours+"/print", map[string]any{"file": f.ID, "anyway": true, "print": false}, nil); a.status != 202 {
			t.Fatalf("%s: %s", name, a)
		}
		fetch := y.given[0].Fetch
		var text bytes.Buffer
		if err := gcode.ToText(t.Context(), bytes.NewReader(sample), &text); err != nil {
			t.Fatal(err)
		}
		if fetch.Name != strings.TrimSuffix(f.Name, ".bgcode")+".gcode" || fetch.Size != int64(text.Len()) || fetch.SHA256 != sumOf(text.String()) {
			t.Errorf("%s goes out as %+v", name, fetch)
		}
		if a := h.do("", "GET", "/api/device/files/"+fetch.Token, nil, basic(ours, "secret-"+ours)); string(a.body) != text.String() {
			t.Errorf("%s: %d bytes, want %d", name, len(a.body), text.Len())
		}
	}
}
