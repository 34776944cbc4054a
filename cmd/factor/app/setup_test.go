package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// withCode is a plugin that somebody signed in by a code.
func (v *visitor) withCode(t *testing.T) *visitor {
	t.Helper()
	var made struct{ Code string }
	v.must(t, http.StatusCreated, "POST", "/api/v1/setup-codes", nil, &made)
	plugin := v.visitor(t)
	var login struct {
		AccessToken string `json:"access_token"`
	}
	plugin.must(t, http.StatusOK, "POST", "/api/v1/setup-codes/redeem", map[string]string{"code": made.Code}, &login)
	plugin.token = login.AccessToken
	return plugin
}

// A code typed into the plugin: it lists, registers one printer with its camera, and is good for nothing afterwards.
func TestSetup_ByCode(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "mina", false)
	known, _ := owner.enrol(t, "Ender")
	owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+known+"/cameras",
		map[string]any{"items": []map[string]string{{"name": "c", "stream_url": "http://u:secret@cam/"}}}, nil)

	plugin := owner.withCode(t)
	status, list := plugin.call(t, "GET", "/api/v1/printers", nil)
	if status != http.StatusOK || !strings.Contains(string(list), known) || strings.Contains(string(list), "secret") {
		t.Errorf("%d %s", status, list)
	}
	uuid := wire.NewUUID()
	body := map[string]any{"uuid": uuid, "name": "octopi", "pending": true, "cameras": []map[string]string{{"name": "c", "stream_url": "http://cam/"}}}
	var made struct {
		DeviceToken string `json:"device_token"`
		Pending     bool
	}
	plugin.must(t, http.StatusCreated, "POST", "/api/v1/printers", body, &made)
	if made.DeviceToken == "" || !made.Pending {
		t.Errorf("%+v", made)
	}
	s.device(t, uuid, made.DeviceToken)
	body["uuid"] = wire.NewUUID()
	plugin.must(t, http.StatusUnauthorized, "POST", "/api/v1/printers", body, nil)
	plugin.must(t, http.StatusUnauthorized, "GET", "/api/v1/printers", nil, nil)

	// Installed again: the printer that there is, with a token anew.
	again := owner.withCode(t)
	again.must(t, http.StatusOK, "POST", "/api/v1/printers", map[string]any{"uuid": uuid, "name": "octopi", "pending": true}, nil)
	var renewed struct {
		DeviceToken string `json:"device_token"`
	}
	again.must(t, http.StatusOK, "POST", "/api/v1/printers/"+uuid+"/token", nil, &renewed)
	s.device(t, uuid, renewed.DeviceToken)
	if _, err := s.tryDevice(uuid, made.DeviceToken); err == nil {
		t.Error("the token of before is still good")
	}
	again.must(t, http.StatusUnauthorized, "POST", "/api/v1/printers/"+uuid+"/token", nil, nil)

	// The page completes it; what the plugin said of the camera stays.
	var done struct {
		Pending bool
		Cameras []struct{ Name string }
	}
	owner.must(t, http.StatusOK, "POST", "/api/v1/printers", map[string]string{"uuid": uuid, "name": "거실"}, &done)
	if done.Pending || len(done.Cameras) != 1 {
		t.Errorf("%+v", done)
	}
}

// A printer moves with its owner's consent; who sees it live by the old account sees it no more.
func TestSetup_Transfer(t *testing.T) {
	s := mustServe(t, t.TempDir())
	mina, ben := s.account(t, "mina", false), s.account(t, "ben", false)
	uuid, token := mina.enrol(t, "Ender")
	s.device(t, uuid, token)
	page := mina.watch(t)
	if _, err := page.Subscribe(t.Context(), "printer:"+uuid, true); err != nil {
		t.Fatal(err)
	}
	var offer struct{ Code string }
	mina.must(t, http.StatusCreated, "POST", "/api/v1/printers/"+uuid+"/transfer", nil, &offer)
	var got struct {
		UUID, Role string
		Token      string `json:"device_token"`
	}
	ben.must(t, http.StatusOK, "POST", "/api/v1/transfers/accept", map[string]string{"code": offer.Code}, &got)
	if got.UUID != uuid || got.Role != "owner" {
		t.Errorf("%+v", got)
	}
	mina.must(t, http.StatusNotFound, "GET", "/api/v1/printers/"+uuid, nil, nil)
	until(t, "the old owner's page hears that it is over", func() bool {
		_, err := page.Subscribe(t.Context(), "printer:"+uuid, true)
		refused, is := err.(*pushclient.Refused)
		return is && refused.Code == 103 // 105: still subscribed
	})
	var audit struct{ Items []struct{ Action string } }
	ben.must(t, http.StatusOK, "GET", "/api/v1/audit", nil, &audit)
	if len(audit.Items) == 0 || audit.Items[0].Action != "printer.accept" {
		t.Errorf("%+v", audit)
	}
	if _, err := s.tryDevice(uuid, token); err == nil {
		t.Error("the token of before is still good")
	}
	s.device(t, uuid, got.Token)
}
