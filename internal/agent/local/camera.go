package local

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/camera/discover"
	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const cameraName = "camera.json"

// savedCamera is camera.json. Its URL may hold a password.
type savedCamera struct {
	enrol.Camera
	Sent bool `json:"sent"` // the server has it
}

// sameAs tells whether a camera of the server's is this one. Whoever may not see addresses gets them empty.
func (c savedCamera) sameAs(known enrol.Camera) bool {
	return known.Name == c.Name && (known.StreamURL == "" || known.StreamURL == c.StreamURL)
}

// camera gives the saved camera; false for none.
func (a *API) camera() (c savedCamera, ok bool) {
	content, err := os.ReadFile(a.Folder.Join(cameraName))
	if err != nil || json.Unmarshal(content, &c) != nil {
		return c, false
	}
	return c, c.StreamURL != ""
}

func (a *API) keepCamera(c savedCamera) error {
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return durable.WriteFile(a.Folder.Join(cameraName), content)
}

func (a *API) testCamera(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if t := read(r, &in); t != nil {
		say(w, t.status, t)
		return
	}
	result := a.Look(r.Context(), strings.TrimSpace(in.URL))
	a.mu.Lock()
	a.looked = nil
	if !result.OK {
		a.looked = &Trouble{Code: result.Code, Message: result.Message}
	}
	a.mu.Unlock()
	say(w, http.StatusOK, result)
}

// findCameras offers the cameras of this machine and those that answer on its networks. They are asked only now, because
// the owner wants it.
func (a *API) findCameras(w http.ResponseWriter, r *http.Request) {
	if !a.finding.TryLock() {
		say(w, http.StatusConflict, &Trouble{Code: "finding", Message: "cameras are being looked for already"})
		return
	}
	defer a.finding.Unlock()
	found, err := a.Discover(r.Context())
	if err != nil {
		sayError(w, err)
		return
	}
	if found == nil {
		found = []discover.Offer{}
	}
	say(w, http.StatusOK, map[string]any{"items": found})
}

// saveCamera keeps the camera for the registration. One that is registered already gets it at once where somebody is
// signed in who may do that; otherwise it goes out with the next registration. An empty URL removes it here.
func (a *API) saveCamera(w http.ResponseWriter, r *http.Request) {
	var in enrol.Camera
	if t := read(r, &in); t != nil {
		say(w, t.status, t)
		return
	}
	in.ID = ""
	in.StreamURL = strings.TrimSpace(in.StreamURL)
	if in.StreamURL == "" {
		a.Folder.Forget(cameraName)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if code := camera.Check(in.StreamURL); code != "" {
		say(w, http.StatusUnprocessableEntity, &Trouble{Code: code, Message: "this is no address of a camera"})
		return
	}
	if in.Name, _ = wire.CleanText(strings.TrimSpace(in.Name), 100); in.Name == "" {
		in.Name = "Webcam"
	}
	if in.Rotation%90 != 0 {
		say(w, http.StatusUnprocessableEntity, &Trouble{Code: "rotation_invalid", Message: "the rotation is 0, 90, 180 or 270 degrees"})
		return
	}
	in.Rotation = (in.Rotation%360 + 360) % 360
	a.entering.Lock()
	defer a.entering.Unlock()
	saved := savedCamera{Camera: in}
	if err := a.keepCamera(saved); err != nil {
		sayError(w, err)
		return
	}
	a.mu.Lock()
	a.looked = nil
	a.mu.Unlock()
	c, registered := a.Agent.Config()
	if s := a.signedIn(); s != nil && registered && c.Server == s.Server() {
		sent, err := s.SetCamera(r.Context(), c.UUID, in)
		if err != nil {
			sayError(w, err)
			return
		}
		if saved.Sent = sent; sent {
			if err := a.keepCamera(saved); err != nil {
				sayError(w, err)
				return
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
