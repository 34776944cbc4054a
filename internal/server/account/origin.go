package account

import "context"

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
