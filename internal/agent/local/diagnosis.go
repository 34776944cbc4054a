package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/broker"
)

// getDiagnosis answers with what an owner copies to whoever helps. Everything in it is made to hold no secret: what is
// told of a camera or a broker is whether there is one.
func (a *API) getDiagnosis(w http.ResponseWriter, _ *http.Request) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "factor-agent %s, %s/%s, %s\n", a.Version, runtime.GOOS, runtime.GOARCH, time.Now().UTC().Format(time.RFC3339))
	o := a.overview()
	if o.Account != nil {
		o.Account.Email = "(signed in)"
	}
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	if err := e.Encode(o); err != nil {
		sayError(w, err)
		return
	}
	a.mu.Lock()
	versions, webcams := a.about.Versions, len(a.about.Webcams)
	a.mu.Unlock()
	for name, version := range versions {
		fmt.Fprintf(&out, "%s: %s\n", clean(name), clean(version))
	}
	fmt.Fprintf(&out, "webcams of OctoPrint: %d\n", webcams)
	if b, err := broker.Read(a.Folder); err == nil {
		fmt.Fprintf(&out, "own broker: enabled %t, TLS %t, port %d, connected %t\n", b.Enabled, b.TLS, b.Port, o.Broker.Connected)
	} else {
		fmt.Fprintf(&out, "own broker: %v\n", err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(out.Bytes())
}
