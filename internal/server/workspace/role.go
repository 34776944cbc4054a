package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Roles are asked for with every request and every push, so they are remembered. A change in this process is seen at
// once; one by another process on the same database within roleAge.
const (
	roleAge   = 3 * time.Second
	roleCount = 20_000
)

type roleKey struct{ userID, workspaceID string }

type cachedRole struct {
	role Role
	at   time.Time
}

// roleCache is guarded by mu. generation keeps a role that was read before a change from being stored after it.
type roleCache struct {
	now func() time.Time

	mu         sync.Mutex
	generation int
	roles      map[roleKey]cachedRole
}

func (c *roleCache) get(k roleKey) (role Role, generation int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.roles[k]
	return r.role, c.generation, ok && c.now().Sub(r.at) < roleAge
}

func (c *roleCache) put(k roleKey, role Role, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if c.roles == nil || len(c.roles) >= roleCount {
		c.roles = map[roleKey]cachedRole{}
	}
	c.roles[k] = cachedRole{role, c.now()}
}

func (c *roleCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.roles)
}

// Role gives the role of a user in a workspace, "" when he has none.
func (s *Service) Role(ctx context.Context, userID, workspaceID string) (Role, error) {
	if userID == "" || workspaceID == "" {
		return "", nil
	}
	key := roleKey{userID, workspaceID}
	role, generation, ok := s.roles.get(key)
	if ok {
		return role, nil
	}
	err := s.DB.Read.NewRaw("SELECT role FROM members WHERE workspace_id = ? AND user_id = ?", workspaceID, userID).Scan(ctx, &role)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read a role: %w", err)
	}
	s.roles.put(key, role, generation)
	return role, nil
}
