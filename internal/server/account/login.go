package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Login is somebody who has signed in.
type Login struct {
	User   User
	Secret string // of the session cookie, or the plugin's access token
	Device string // of the device cookie
}

// Login signs in by e-mail address and password. device is the browser's device cookie, "" where it has none.
// Errors: problems invalid_credentials, email_unverified, account_disabled, slow_down, busy.
func (s *Service) Login(ctx context.Context, email, password, device string) (Login, error) {
	return s.login(ctx, email, password, device, workspace.ViaSession)
}

// PluginLogin is what the 1.x plugin gets for an e-mail address and a password.
type PluginLogin struct {
	AccessToken string // good for 1 h and the plugin's own calls only
	ExpiresIn   time.Duration
	User        User
}

// LoginPlugin signs the 1.x plugin in. Errors as Login.
func (s *Service) LoginPlugin(ctx context.Context, email, password string) (PluginLogin, error) {
	l, err := s.login(ctx, email, password, "", workspace.ViaPlugin)
	return PluginLogin{AccessToken: l.Secret, ExpiresIn: pluginLife, User: l.User}, err
}

func (s *Service) login(ctx context.Context, email, password, device string, via workspace.Via) (Login, error) {
	u, err := s.authenticate(ctx, email, password, device)
	s.countLogin(ctx, u, err)
	if err != nil {
		return Login{}, err
	}
	if u.DisabledAt != 0 {
		return Login{}, errDisabled
	}
	rehashed := ""
	if outdated(u.PasswordHash) {
		if rehashed, err = s.hasher.hash(ctx, password); err != nil {
			return Login{}, err
		}
	}
	if len(device) != len(newSecret()) {
		device = newSecret()
	}
	out := Login{Device: device}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.enter(ctx, tx, u, &out, via); err != nil {
			return err
		}
		if rehashed != "" {
			err := exec(ctx, tx, "rehash a password", q("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", rehashed, u.ID, u.PasswordHash))
			if err != nil {
				return err
			}
		}
		return s.recordBy(ctx, tx, u, "session.login", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, map[string]string{"with": string(via)})
	})
	if err != nil {
		return Login{}, err
	}
	out.User, err = s.user(ctx, u)
	return out, err
}

// enter makes a session and remembers from where.
func (s *Service) enter(ctx context.Context, tx bun.Tx, u userRow, out *Login, via workspace.Via) (err error) {
	// Disabled or deleted since the password was checked?
	switch now, err := findUser(ctx, tx, "id = ?", u.ID); {
	case errors.Is(err, errNoUser), err == nil && (now.DisabledAt != 0 || now.PasswordHash != u.PasswordHash):
		return errInvalidCredentials
	case err != nil:
		return err
	}
	if out.Secret, err = s.newSession(ctx, tx, u.ID, via, false); err != nil {
		return err
	}
	device := out.Device
	if via == workspace.ViaPlugin {
		device = ""
	}
	return s.remember(ctx, tx, u.ID, device)
}

// authenticate finds the account and checks the password, slowing down whoever tries too often. It costs the same
// work whatever the address is.
func (s *Service) authenticate(ctx context.Context, rawEmail, password, device string) (userRow, error) {
	address := OriginFrom(ctx).Address
	email, err := ParseEmail("email", rawEmail)
	if err != nil {
		email = Email{Key: "! " + hashSecret(rawEmail)} // nobody's
	}
	u, err := findUser(ctx, s.DB.Read, "email_key = ?", email.Key)
	if err != nil && !errors.Is(err, errNoUser) {
		return u, err
	}
	known, err := s.isKnown(ctx, u.ID, device, address)
	if err != nil {
		return u, err
	}
	release, wait := s.attempt(email.Key, address, known)
	if wait > 0 {
		return u, problem.SlowDown(wait)
	}
	hash, err := s.pendingHash(ctx, email.Key)
	if err != nil {
		return u, err
	}
	pending := u.ID == ""
	if !pending {
		hash = u.PasswordHash
	}
	right, err := s.hasher.verify(ctx, hash, password)
	switch {
	case err != nil:
		return u, err
	case !right:
		return u, errInvalidCredentials
	}
	release()
	if pending {
		return u, errUnverified
	}
	return u, nil
}

// attempt counts a try. Where an account was signed in to before, only the tries from there count, so that nobody
// else's failures lock its owner out; anywhere else the account and the address both count. release is called after
// the right password.
func (s *Service) attempt(emailKey, address, known string) (release func(), wait time.Duration) {
	if known != "" {
		key := emailKey + " " + known
		return func() { s.slow.known.clear(key) }, s.slow.known.take(key)
	}
	from := addressKey(address)
	if wait := s.slow.address.take(from); wait > 0 {
		return nil, wait
	}
	if wait := s.slow.account.take(emailKey); wait > 0 {
		return nil, wait
	}
	return func() {
		s.slow.address.giveBack(from)
		s.slow.account.clear(emailKey)
	}, 0
}

// isKnown tells whether an account was signed in to from this browser or address before: then it gives the hash of
// the one or the other, else "".
func (s *Service) isKnown(ctx context.Context, userID, device, address string) (string, error) {
	var hashes []string
	asked := knownHashes(device, address)
	err := s.DB.Read.NewRaw("SELECT hash FROM known_origins WHERE user_id = ? AND hash IN (?)", userID, bun.List(asked)).Scan(ctx, &hashes)
	if err != nil {
		return "", fmt.Errorf("read known origins: %w", err)
	}
	for _, want := range asked { // the browser first: an address may be shared
		for _, have := range hashes {
			if want == have {
				return have, nil
			}
		}
	}
	return "", nil
}

// remember notes from where an account was signed in to.
func (s *Service) remember(ctx context.Context, tx bun.Tx, userID, device string) error {
	now := s.Now().UnixMilli()
	for _, hash := range knownHashes(device, OriginFrom(ctx).Address) {
		err := exec(ctx, tx, "remember an origin", q(`INSERT INTO known_origins (user_id, hash, used_at) VALUES (?, ?, ?)
			ON CONFLICT (user_id, hash) DO UPDATE SET used_at = excluded.used_at`, userID, hash, now))
		if err != nil {
			return err
		}
	}
	return exec(ctx, tx, "forget origins", q(`DELETE FROM known_origins WHERE user_id = ? AND hash NOT IN
		(SELECT hash FROM known_origins WHERE user_id = ? ORDER BY used_at DESC LIMIT ?)`, userID, userID, knownLimit))
}

func knownHashes(device, address string) []string {
	hashes := []string{}
	if device != "" && len(device) <= secretLength {
		hashes = append(hashes, hashSecret("device "+device))
	}
	return append(hashes, hashSecret("address "+addressKey(address)))
}

// pendingHash gives the password hash of the latest sign-up that waits for its link, "" without one.
func (s *Service) pendingHash(ctx context.Context, emailKey string) (string, error) {
	var hashes []string
	err := s.DB.Read.NewRaw("SELECT password_hash FROM signups WHERE email_key = ? AND expires_at > ? ORDER BY created_at DESC LIMIT 1",
		emailKey, s.Now().UnixMilli()).Scan(ctx, &hashes)
	if err != nil || len(hashes) == 0 {
		return "", err
	}
	return hashes[0], nil
}

// countLogin notes how a log-in ended. The address that was typed is not kept where it has no account: it may be a
// password in the wrong field.
func (s *Service) countLogin(ctx context.Context, u userRow, err error) {
	result := "ok"
	if err == nil && u.DisabledAt != 0 {
		err = errDisabled
	}
	if err != nil {
		if result = problem.Code(err); result == "" {
			result = "error"
		}
		workspaceID := ""
		if u.ID != "" {
			if workspaceID, err = s.Workspaces.PersonalID(ctx, s.DB.Read, u.ID); err != nil {
				s.Logger.Error("audit entry without its workspace", "error", err)
			}
		}
		s.Audit.RecordFailure(ctx, result, audit.Entry{
			WorkspaceID: workspaceID, Actor: "-", Address: OriginFrom(ctx).Address, Action: "session.login",
			Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name},
		})
	}
	s.logins.WithLabelValues(result).Inc()
}

// reauthenticate checks the password of somebody who is signed in, before something that cannot be undone.
// Errors: problems invalid_credentials (403), slow_down, busy.
func (s *Service) reauthenticate(ctx context.Context, userID, password string) (userRow, error) {
	u, err := findUser(ctx, s.DB.Read, "id = ?", userID)
	if err != nil {
		return u, err
	}
	if wait := s.slow.reauth.take(userID); wait > 0 {
		return u, problem.SlowDown(wait)
	}
	right, err := s.hasher.verify(ctx, u.PasswordHash, password)
	if err != nil {
		return u, err
	}
	if !right {
		return u, errWrongPassword
	}
	s.slow.reauth.clear(userID)
	return u, nil
}
