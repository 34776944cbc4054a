package file

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// plugin answers as octoprint_factor 2.8.5 does. y.mu is held when it is asked.
func plugin(h *house, prints bool) func(y *yard, m gcodeIn) {
	var got strings.Builder
	name := ""
	return func(y *yard, m gcodeIn) {
		switch m.Action {
		case "start":
			name = m.Filename
			got.Reset()
		case "chunk":
			b, err := base64.StdEncoding.DecodeString(m.Data)
			if err != nil {
				h.t.Error(err)
			}
			got.Write(b)
		case "end":
			y.files = append(y.files, name)
			answer, _ := json.Marshal(map[string]any{"type": "upload_result", "job_id": m.JobID, "success": true, "filename": name, "target": m.Target, "file_size": got.Len()})
			go func() { _ = h.PieceResult(old, answer) }()
		case "print":
			if prints && m.Filename == name && m.JobID != "" {
				p := y.printers[old]
				p.Status = wire.StatusHeating
				y.printers[old] = p
			}
		}
	}
}

func (y *yard) messages() []gcodeIn {
	y.mu.Lock()
	defer y.mu.Unlock()
	return append([]gcodeIn{}, y.sent...)
}

func (h *house) awaitEnd(uuid string) (end Transfer) {
	h.t.Helper()
	h.until("the transfer ends", func() bool {
		list := h.transfers("kim", uuid)
		if len(list) == 0 {
			return false
		}
		end = list[0]
		return end.EndedAt != nil
	})
	return end
}

func TestPublished_InPieces(t *testing.T) {
	h, y := newShop(t)
	y.set(func(y *yard) { y.take, y.full, y.files = plugin(h, true), 3, []string{"folder/A.gcode"} })
	body := square + strings.Repeat("; padding so that there are several pieces\n", 4000)
	f := h.upload("kim", body, "filename", "a.gcode")
	if a := h.call("kim", "POST", "/api/v1/printers/"+old+"/print", map[string]any{"file": f.ID}, nil); a.status != 202 {
		t.Fatalf("%s", a)
	}
	if end := h.awaitEnd(old); end.Stage != wire.TransferDone || end.Path != "a (2).gcode" {
		t.Errorf("%+v", end)
	}
	sent := y.messages()
	begin, last, print := sent[0], sent[len(sent)-2], sent[len(sent)-1]
	if begin.Action != "start" || begin.UploadTarget != "local" || begin.Target != "local" || begin.TotalChunks != len(sent)-3 || begin.Filename != "a (2).gcode" || begin.JobID == "" {
		t.Errorf("%+v", begin)
	}
	if last.Action != "end" || last.Target != "local" || last.JobID != begin.JobID {
		t.Errorf("%+v", last)
	}
	if print.Action != "print" || print.JobID != begin.JobID || print.Filename != "a (2).gcode" || print.Origin != "local" {
		t.Errorf("%+v", print)
	}
	var whole strings.Builder
	for i, m := range sent[1 : len(sent)-2] {
		if m.Action != "chunk" || *m.Seq != i {
			t.Fatalf("piece %d: %s %v", i, m.Action, m.Seq)
		}
		b, err := base64.StdEncoding.DecodeString(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		whole.Write(b)
	}
	if whole.String() != body {
		t.Errorf("another content: %d bytes of %d", whole.Len(), len(body))
	}
	// The same once more goes beside it, although the plugin has not told its list anew.
	y.set(func(y *yard) { y.files = nil; p := y.printers[old]; p.Status = wire.StatusIdle; y.printers[old] = p })
	if a := h.call("kim", "POST", "/api/v1/printers/"+old+"/print", map[string]any{"file": f.ID, "print": false, "target": "sdcard"}, nil); a.status != 202 {
		t.Fatalf("%s", a)
	}
	if end := h.awaitEnd(old); end.Name != "a.gcode" || end.Target != "sdcard" { // another place
		t.Errorf("%+v", end)
	}
	if a := h.call("kim", "POST", "/api/v1/printers/"+old+"/print", map[string]any{"file": f.ID, "print": false}, nil); a.status != 202 {
		t.Fatalf("%s", a)
	}
	if end := h.awaitEnd(old); end.Name != "a.gcode" && end.Name != "a (3).gcode" {
		t.Errorf("%+v", end)
	}
}

func TestPublished_WhatGoesWrong(t *testing.T) {
	h, y := newShop(t)
	f := h.upload("kim", square, "filename", "a.gcode")
	send := func() answer {
		return h.call("kim", "POST", "/api/v1/printers/"+old+"/print", map[string]any{"file": f.ID, "anyway": true}, nil)
	}
	h.times.answer, h.times.begin, h.times.stall = 1, 1, 1
	if a := send(); a.status != 202 {
		t.Fatalf("%s", a)
	}
	if end := h.awaitEnd(old); end.Code != codeTimeout || !strings.Contains(end.Message, "receive_gcode_enabled") {
		t.Errorf("silence: %+v", end)
	}
	h.times.answer = patience
	y.set(func(y *yard) { y.take = plugin(h, false) })
	send()
	if end := h.awaitEnd(old); end.Code != "unconfirmed" {
		t.Errorf("a print that does not begin: %+v", end)
	}
	y.set(func(y *yard) {
		y.take = func(_ *yard, m gcodeIn) {
			if m.Action == "end" {
				answer, _ := json.Marshal(map[string]any{"type": "upload_result", "job_id": m.JobID, "success": false, "error": "disk full\x00"})
				go func() { _ = h.PieceResult(old, answer) }()
			}
		}
	})
	send()
	if end := h.awaitEnd(old); end.Code != "octoprint_refused" || !strings.Contains(end.Message, "disk full") || strings.Contains(end.Message, "\x00") {
		t.Errorf("a refusal: %+v", end)
	}
	y.set(func(y *yard) { y.full = 1 << 30 })
	send()
	if end := h.awaitEnd(old); end.Code != codeTimeout {
		t.Errorf("a device that takes nothing: %+v", end)
	}
	y.set(func(y *yard) { y.full = 0 })
	for _, payload := range []string{"", "{}", `{"type":"upload_result","job_id":"x"}`, `[]`} {
		if err := h.PieceResult(old, []byte(payload)); err == nil {
			t.Errorf("%q is taken", payload)
		}
	}
	h.times.stall = patience
	// One at a time, and the second is told so.
	hold := make(chan struct{})
	y.set(func(y *yard) {
		y.take = func(_ *yard, m gcodeIn) {
			if m.Action == "start" {
				close(hold)
			}
		}
	})
	if a := send(); a.status != 202 {
		t.Fatalf("%s", a)
	}
	<-hold
	if a := send(); a.status != 409 || a.code() != "transfer_under_way" {
		t.Errorf("%s", a)
	}
	if a := h.call("kim", "DELETE", fmt.Sprintf("/api/v1/printers/%s/transfers/%s", old, h.transfers("kim", old)[0].ID), nil, nil); a.status != 204 {
		t.Errorf("%s", a)
	}
}

func FuzzPieceResult(f *testing.F) {
	f.Add([]byte(`{"type":"upload_result","job_id":"x","success":true,"filename":"a.gcode"}`))
	f.Add([]byte(`{"type":"upload_result","job_id":7}`))
	house := newHouse(f)
	f.Fuzz(func(_ *testing.T, payload []byte) { _ = house.PieceResult(old, payload) })
}

func FuzzProgress(f *testing.F) {
	f.Add([]byte(`{"id":"x","stage":"fetching","bytes":1,"total":2}`))
	f.Add([]byte(`{"id":"x","stage":"failed","code":"\u0000","message":"\u202e"}`))
	house := newHouse(f)
	f.Fuzz(func(t *testing.T, payload []byte) { _ = house.Progress(t.Context(), "p1", payload) })
}
