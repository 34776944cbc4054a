package app

import (
	"context"
	"net/netip"

	"github.com/kangbyounggwan/factor/internal/server/camera"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// cameraPrinters is the printers as the cameras see them.
type cameraPrinters struct{ printers *printer.Service }

var _ camera.Printers = cameraPrinters{}

func (c cameraPrinters) Place(uuid string) (workspace.Target, bool) { return c.printers.Place(uuid) }

func (c cameraPrinters) Find(printerID string) (string, bool) { return c.printers.UUID(printerID) }

func (c cameraPrinters) Cameras(uuid string) []camera.Camera {
	stored := c.printers.Cameras(uuid)
	list := make([]camera.Camera, len(stored))
	for i, one := range stored {
		list[i] = camera.Camera{ID: one.ID, Name: one.Name, URL: one.StreamURL, Rotation: one.Rotation, FlipH: one.FlipH,
			FlipV: one.FlipV, Encode: camera.Encode(one.Encode), MaxKbps: one.MaxKbps}
	}
	return list
}

func (c cameraPrinters) Device(uuid string) camera.Device {
	online, agent, published := c.printers.Speaker(uuid)
	return camera.Device{Online: online, Agent: agent, Published: published}
}

func (c cameraPrinters) Uplink(uuid string) int { return c.printers.Uplink(uuid) }

func (c cameraPrinters) Login(ctx context.Context, uuid, token string, from netip.Addr) (string, error) {
	id, err := c.printers.Login(ctx, uuid, token, from)
	return id.PrinterID, err
}

// readyCameras readies the media hub. Its ports are open by now; what they need is made for the first viewer.
func (s *Server) readyCameras() error {
	s.Cameras = &camera.Service{
		Printers: cameraPrinters{s.Printers}, Devices: s.Gateway, Access: s.Workspaces, Bus: s.Bus, Log: s.Log, Metrics: s.metrics,
		UDP: s.open.webrtcUDP, TCP: s.open.webrtc, PublicAddresses: s.Settings.WebRTCAddresses(), RTSP: s.open.rtsp,
		FFmpeg: s.Settings.FFmpeg, Host: s.hostFor, TURN: camera.TURN{URLs: s.Settings.TURN, Secret: s.Settings.TURNSecret.Reveal()},
	}
	if u := s.Settings.Public(); u != nil {
		s.Cameras.PublicURL = u.String()
	}
	s.door.Cameras = s.Cameras
	return s.Cameras.Initialize()
}

// hostFor gives the host by which a device reaches this server: the public one, else the address that it came to.
func (s *Server) hostFor(uuid string) string {
	if u := s.Settings.Public(); u != nil {
		return u.Hostname()
	}
	if a, ok := s.Gateway.Local(uuid); ok {
		return a.String()
	}
	return "127.0.0.1"
}
