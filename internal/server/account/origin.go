package account

import "context"

// Origin is where a request comes from. The web server finds it out (trusted proxies included) and puts it into the
// context of every request, signed in or not.
type Origin struct {
	Address   string // IP address without port
	UserAgent string
	Secure    bool   // the browser came by HTTPS, so cookies are for HTTPS only
	Language  string // ko or en, from Accept-Language; "" unknown
}

type originKey struct{}

// WithOrigin gives a context that carries where its request comes from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginFrom tells where a request comes from; the zero Origin where nobody said.
func OriginFrom(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
