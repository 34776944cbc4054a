//go:build !unix

package plugin

// syncDir does nothing here: Windows has no such call, and journals its names itself.
func syncDir(string) error { return nil }
