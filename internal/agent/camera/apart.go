package camera

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Command is the argument with which a program looks at one camera: see Apart.
const Command = "look-at-camera"

// Apart gives a Look that happens in a process of its own, which the program at path becomes with the argument Command.
// What a hostile stream does to it ends there, and the memory that pictures take goes back to the machine.
func Apart(path string) func(context.Context, string) Result {
	one := make(chan struct{}, 1) // at a time
	return func(ctx context.Context, address string) Result {
		if Check(address) != "" {
			return failed(BadURL)
		}
		ctx, cancel := context.WithTimeout(ctx, 2*limit)
		defer cancel()
		select {
		case one <- struct{}{}:
			defer func() { <-one }()
		case <-ctx.Done():
			return failed(Timeout)
		}
		cmd := exec.CommandContext(ctx, path, Command)
		cmd.Stdin = strings.NewReader(address) // not an argument, which every user of the machine could read
		cmd.Env = Environment()
		out := &capped{left: 1 << 20}
		cmd.Stdout = out
		cmd.WaitDelay = time.Second
		var r Result
		if err := cmd.Run(); err != nil || json.Unmarshal(bytes.TrimSpace(out.Bytes()), &r) != nil {
			if ctx.Err() != nil {
				return failed(Timeout)
			}
			return failed(NotAStream)
		}
		return r
	}
}

// Environment is what the other process needs of ours.
func Environment() (kept []string) {
	for _, name := range []string{"PATH", "SYSTEMROOT", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", childEnv} {
		if v, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+v)
		}
	}
	return kept
}

// childEnv lets tests be the other process.
const childEnv = "FACTOR_TEST_CHILD"

// Child is the other process: it reads an address and writes the result.
func Child(ctx context.Context, in io.Reader, out io.Writer) error {
	address, err := io.ReadAll(io.LimitReader(in, wire.MaxCameraAddress+1))
	if err != nil {
		return fmt.Errorf("look at camera: %w", err)
	}
	return json.NewEncoder(out).Encode(Look(ctx, string(address)))
}
