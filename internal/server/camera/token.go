package camera

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// A viewing token stands in an address for those whose program sends no header with it, such as an <img> of somebody
// with an API token. Addresses end up in logs, so it is good for one stream and one rung, to begin with within a
// minute; what it has begun then hangs on the rights of who made it, like any other viewer.
const (
	tokenAge  = time.Minute
	maxTokens = 20_000
)

var errViewExpired = problem.New(http.StatusUnauthorized, "view_expired", "This viewing token is not good for this, or not any more. Get a new one; it is good for one minute.")

// token is what a viewing token says, and who made it.
type token struct {
	key     streamKey
	rung    Rung
	expires time.Time
	actor   workspace.Actor
	check   workspace.Check
}

// tokens remembers who made each token until it expires. mu guards all of it.
type tokens struct {
	mu   sync.Mutex
	made map[[16]byte]token
}

// makeToken gives a viewing token. Errors: errTooMany.
func (s *Service) makeToken(p place, rung Rung, now time.Time) (string, time.Time, error) {
	t := token{key: p.key(), rung: rung, expires: now.Add(tokenAge).Truncate(time.Second), actor: p.actor, check: p.check}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if s.tokens.made == nil {
		s.tokens.made = map[[16]byte]token{}
	}
	if len(s.tokens.made) >= maxTokens {
		for id, old := range s.tokens.made {
			if now.After(old.expires) {
				delete(s.tokens.made, id)
			}
		}
		if len(s.tokens.made) >= maxTokens {
			return "", t.expires, errTooMany
		}
	}
	var id [16]byte
	readRandom(id[:])
	s.tokens.made[id] = t
	return base64.RawURLEncoding.EncodeToString(s.sign(id, t)), t.expires, nil
}

// sign gives id, expiry and an HMAC over both, the stream and the rung.
func (s *Service) sign(id [16]byte, t token) []byte {
	b := binary.BigEndian.AppendUint64(id[:], uint64(t.expires.Unix()))
	mac := hmac.New(sha256.New, s.key[:])
	for _, part := range [][]byte{b, []byte(t.key.printerID), {0}, []byte(t.key.cameraID), {0}, []byte(t.rung)} {
		mac.Write(part)
	}
	return mac.Sum(slices.Clip(b))
}

// openToken tells what a viewing token is good for. Errors: errViewExpired.
func (s *Service) openToken(text string, rung Rung) (token, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 16+8+sha256.Size {
		return token{}, errViewExpired
	}
	s.tokens.mu.Lock()
	t, ok := s.tokens.made[[16]byte(b[:16])]
	s.tokens.mu.Unlock()
	if !ok || t.rung != rung || time.Now().After(t.expires) || !hmac.Equal(b, s.sign([16]byte(b[:16]), t)) {
		return token{}, errViewExpired
	}
	return t, nil
}

// sweepTokens forgets those that have expired.
func (s *Service) sweepTokens(now time.Time) {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	for id, t := range s.tokens.made {
		if now.After(t.expires) {
			delete(s.tokens.made, id)
		}
	}
}
