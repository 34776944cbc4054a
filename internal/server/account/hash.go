package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// argon2id as OWASP's password storage cheat sheet has it: 19 MiB, two passes, one lane. About 30 ms on one core.
const (
	hashPasses = 2
	hashLanes  = 1
	hashSalt   = 16 // bytes
	hashKey    = 32 // bytes
	// hashQueue is how many may wait for their turn: about a second of work for each core.
	hashQueue = 32
)

// hashMemory is in KiB. The package's tests lower it, they hash hundreds of times.
var hashMemory uint32 = 19 * 1024

var errBusy = func() *problem.Problem {
	p := problem.New(http.StatusServiceUnavailable, "busy", "The server is busy with other log-ins. Try again in a moment.")
	p.RetryAfter = 2
	return p
}()

// hasher hashes passwords, as many at once as there are cores, since each takes 19 MiB.
type hasher struct {
	places chan struct{} // running and waiting
	slots  chan struct{} // running
	dummy  string        // a hash that no password has
}

func newHasher() (*hasher, error) {
	cores := runtime.GOMAXPROCS(0)
	random := make([]byte, hashSalt+hashKey)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	return &hasher{
		places: make(chan struct{}, cores*(1+hashQueue)), slots: make(chan struct{}, cores),
		dummy: encodeHash(random[:hashSalt], random[hashSalt:]),
	}, nil
}

// hash gives a password's hash in PHC form. Errors: problem busy; ctx.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, hashSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	key, err := h.derive(ctx, password, salt, hashMemory, hashPasses, hashLanes, hashKey)
	if err != nil {
		return "", err
	}
	return encodeHash(salt, key), nil
}

// verify tells whether password has the hash encoded. An empty hash takes the same time and is nobody's.
// Errors: problem busy; ctx; a hash that cannot be read.
func (h *hasher) verify(ctx context.Context, encoded, password string) (bool, error) {
	known := encoded != ""
	if !known {
		encoded = h.dummy
	}
	salt, want, memory, passes, lanes, err := decodeHash(encoded)
	if err != nil {
		return false, err
	}
	have, err := h.derive(ctx, password, salt, memory, passes, lanes, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(have, want) == 1 && known, nil
}

func (h *hasher) derive(ctx context.Context, password string, salt []byte, memory, passes uint32, lanes uint8, size uint32) ([]byte, error) {
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return nil, errBusy
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(normalPassword(password)), salt, passes, memory, lanes, size), nil
}

func encodeHash(salt, key []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashLanes, b.EncodeToString(salt), b.EncodeToString(key))
}

var errHash = errors.New("a password hash in the database cannot be read")

func decodeHash(encoded string) (salt, key []byte, memory, passes uint32, lanes uint8, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, 0, 0, 0, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || memory > 1<<20 || passes == 0 || lanes == 0 {
		return nil, nil, 0, 0, 0, errHash
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) == 0 {
		return nil, nil, 0, 0, 0, errHash
	}
	return salt, key, memory, passes, lanes, nil
}

// outdated tells whether a hash was made with other parameters than today's.
func outdated(encoded string) bool {
	return !strings.Contains(encoded, fmt.Sprintf("$m=%d,t=%d,p=%d$", hashMemory, hashPasses, hashLanes))
}
