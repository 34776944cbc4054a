package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"

	"github.com/kangbyounggwan/factor/bench/rig"
)

type mediamtx struct {
	cmd  *exec.Cmd
	dir  string
	url  string
	end  func()
	rtsp *gortsplib.Client
}

// startMediamtx runs mediamtx with nothing on but RTSP in and WebRTC out, and publishes the source to it.
func startMediamtx(ctx context.Context, program string, s *source) (*mediamtx, error) {
	dir, err := os.MkdirTemp("", "factor-bench-camera-")
	if err != nil {
		return nil, err
	}
	rtsp, http, udp := freePort(), freePort(), freePort()
	config := fmt.Sprintf("logLevel: error\nrtsp: yes\nrtspAddress: 127.0.0.1:%d\nrtspTransports: [tcp]\nrtmp: no\nhls: no\nsrt: no\nmoq: no\nwebrtc: yes\nwebrtcAddress: 127.0.0.1:%d\n"+
		"webrtcLocalUDPAddress: 127.0.0.1:%d\nwebrtcLocalTCPAddress: ''\nwebrtcIPsFromInterfaces: no\nwebrtcAdditionalHosts: [127.0.0.1]\npaths:\n  cam:\n", rtsp, http, udp)
	file := filepath.Join(dir, "mediamtx.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	m := &mediamtx{dir: dir, url: fmt.Sprintf("http://127.0.0.1:%d/cam/whep", http), cmd: exec.CommandContext(ctx, program, file)}
	m.cmd.Stdout, m.cmd.Stderr = os.Stderr, os.Stderr
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	f := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	for _, au := range s.units {
		for _, u := range au {
			switch u[0] & 0x1f {
			case 7:
				f.SPS = u
			case 8:
				f.PPS = u
			}
		}
	}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		protocol := gortsplib.ProtocolTCP
		m.rtsp = &gortsplib.Client{Protocol: &protocol}
		err = m.rtsp.StartRecording(fmt.Sprintf("rtsp://127.0.0.1:%d/cam", rtsp), &description.Session{Medias: []*description.Media{media}})
		if err == nil {
			break
		}
		if time.Since(begun) > 10*time.Second {
			m.close()
			return nil, fmt.Errorf("publish to mediamtx: %w", err)
		}
	}
	encoder, err := f.CreateEncoder()
	if err != nil {
		return nil, err
	}
	m.end = s.take(func(at time.Time, units [][]byte, _ bool) { m.publish(encoder, media, at, units) })
	return m, nil
}

func (m *mediamtx) publish(e *rtph264.Encoder, media *description.Media, at time.Time, units [][]byte) {
	packets, err := e.Encode(units)
	if err != nil {
		return
	}
	for _, p := range packets {
		p.Timestamp = uint32(at.UnixMicro() * 90 / 1000)
		_ = m.rtsp.WritePacketRTP(media, p)
	}
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (m *mediamtx) name() string                        { return "mediamtx" }
func (m *mediamtx) whep() (string, map[string]string)   { return m.url, nil }
func (m *mediamtx) cost() (time.Duration, int64, error) { return cost(m.cmd.Process.Pid) }

func (m *mediamtx) close() {
	if m.end != nil {
		m.end()
	}
	m.rtsp.Close()
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	_ = os.RemoveAll(m.dir)
}

func cost(pid int) (time.Duration, int64, error) {
	cpu, err := rig.CPU(pid)
	if err != nil {
		return 0, 0, err
	}
	rss, err := rig.RSS(pid)
	return cpu, rss, err
}
