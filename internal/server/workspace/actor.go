package workspace

import "context"

// Via is how an actor proved who it is.
type Via string

// The ways in.
const (
	ViaSession Via = "session" // the cookie of a browser
	ViaToken   Via = "token"   // an API token fct_…
	ViaPlugin  Via = "plugin"  // a plugin's access token: good for its own calls only
	ViaDevice  Via = "device"  // a printer's device, by UUID and token
	ViaSystem  Via = "system"  // the server itself or its command line
)

// Actor is who asks for something. The zero value is nobody.
type Actor struct {
	UserID    string
	Name      string
	Admin     bool // may administer the server; gives no right to other people's printers
	Via       Via
	SessionID string // with ViaSession and ViaPlugin
	Once      bool   // with ViaPlugin: signed in by a code, which is good for one registration
	TokenID   string // with ViaToken
	Address   string // IP address, without port
	Language  string // ko or en
}

// SignedIn tells whether the actor is a person with an account.
func (a Actor) SignedIn() bool { return a.UserID != "" }

type actorKey struct{}

// WithActor gives a context that carries who asks.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom tells who asks. Without anybody it gives the zero Actor and false.
func ActorFrom(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok && a.SignedIn()
}

// Check tells whether what somebody came with is still good.
type Check func(ctx context.Context) bool

type checkKey struct{}

// WithCheck gives a context for what lasts longer than a request: its owner asks from time to time whether it may go
// on. That ends what another process ended, such as the command line, which the bus does not tell of.
func WithCheck(ctx context.Context, check Check) context.Context {
	return context.WithValue(ctx, checkKey{}, check)
}

// CheckFrom gives the check of a context, nil where it has none.
func CheckFrom(ctx context.Context) Check {
	check, _ := ctx.Value(checkKey{}).(Check)
	return check
}
