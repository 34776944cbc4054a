package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Agent is a program as the list of versions has it.
type Agent struct {
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// agents knows the programs. mu guards known and unpacked: whoever comes first reads a program through, once.
type agents struct {
	embedded Programs
	beside   string
	cache    string

	mu       sync.Mutex
	known    map[string]Agent  // of those inside; they never change while the server runs
	unpacked map[string]string // platform → file
	built    besideAgent
}

// besideAgent is the developer's build, which is built anew while the server runs.
type besideAgent struct {
	at    time.Time
	size  int64
	agent Agent
}

// thisPlatform is how a program for this very machine is called, such as linux-amd64 or linux-armv7.
func thisPlatform() string {
	arch := runtime.GOARCH
	if arch == "arm" {
		arch = "armv6" // what Go builds for when nobody says otherwise, and runs on every later one
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, s := range info.Settings {
				if s.Key == "GOARM" && s.Value != "" {
					arch = "armv" + s.Value[:1]
				}
			}
		}
	}
	return runtime.GOOS + "-" + arch
}

// list gives every agent there is. The first call reads them all, which takes a moment.
func (a *agents) list() (map[string]Agent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		known, err := a.readEmbedded()
		if err != nil {
			return nil, err
		}
		a.known = known
	}
	list := maps.Clone(a.known)
	if len(list) == 0 {
		built, err := a.readBeside()
		if err != nil {
			return nil, err
		}
		if built != (Agent{}) {
			list[thisPlatform()] = built
		}
	}
	return list, nil
}

func (a *agents) readEmbedded() (map[string]Agent, error) {
	known := map[string]Agent{}
	if a.embedded.Platforms == nil {
		return known, nil
	}
	platforms := a.embedded.Platforms()
	for _, platform := range platforms {
		if a.embedded.Inside(platform) != platform {
			continue
		}
		r, err := a.embedded.Open(platform)
		if err != nil {
			return nil, err
		}
		agent, err := measure(io.Discard, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("read the agent for %s: %w", platform, err)
		}
		known[platform] = agent
	}
	for _, platform := range platforms {
		if agent, ok := known[a.embedded.Inside(platform)]; ok {
			known[platform] = agent
		}
	}
	debug.FreeOSMemory() // the decompressors' windows, which nobody needs again for long
	return known, nil
}

// readBeside gives the zero Agent where there is no such file.
func (a *agents) readBeside() (Agent, error) {
	if a.beside == "" {
		return Agent{}, nil
	}
	info, err := os.Stat(a.beside)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !info.Mode().IsRegular()) {
		return Agent{}, nil
	}
	if err != nil {
		return Agent{}, fmt.Errorf("read the agent beside the server: %w", err)
	}
	if info.ModTime().Equal(a.built.at) && info.Size() == a.built.size {
		return a.built.agent, nil
	}
	f, err := os.Open(a.beside)
	if err != nil {
		return Agent{}, fmt.Errorf("read the agent beside the server: %w", err)
	}
	agent, err := measure(io.Discard, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return Agent{}, fmt.Errorf("read the agent beside the server: %w", err)
	}
	a.built = besideAgent{at: info.ModTime(), size: info.Size(), agent: agent}
	return agent, nil
}

// open gives an agent's file and what it holds. A platform without one is fs.ErrNotExist.
func (a *agents) open(platform string) (*os.File, Agent, error) {
	list, err := a.list()
	if err != nil {
		return nil, Agent{}, err
	}
	agent, ok := list[platform]
	if !ok {
		return nil, Agent{}, fmt.Errorf("agent for %q: %w", platform, fs.ErrNotExist)
	}
	path := a.beside
	if _, inside := a.known[platform]; inside {
		if path, err = a.unpack(platform); err != nil {
			return nil, Agent{}, fmt.Errorf("unpack the agent for %s: %w", platform, err)
		}
	}
	f, err := os.Open(path)
	return f, agent, err
}

// unpack puts an agent into the cache, so that many may fetch it at once without each taking the memory of a
// decompressor; one that several platforms are given, once. What a server before this one left there is not trusted but written anew.
func (a *agents) unpack(platform string) (path string, err error) {
	platform = a.embedded.Inside(platform)
	a.mu.Lock()
	defer a.mu.Unlock()
	if path, ok := a.unpacked[platform]; ok {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	if err := os.MkdirAll(a.cache, 0o700); err != nil {
		return "", err
	}
	r, err := a.embedded.Open(platform)
	if err != nil {
		return "", err
	}
	defer r.Close()
	tmp, err := os.CreateTemp(a.cache, ".new-*")
	if err != nil {
		return "", err
	}
	_, err = measure(tmp, r)
	path = filepath.Join(a.cache, "factor-agent-"+platform)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return "", err
	}
	if a.unpacked == nil {
		a.unpacked = map[string]string{}
	}
	a.unpacked[platform] = path
	debug.FreeOSMemory() // once a program and server: the decompressor's window
	return path, nil
}

// measure copies r to w and says what it was.
func measure(w io.Writer, r io.Reader) (Agent, error) {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), r)
	return Agent{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: n}, err
}
