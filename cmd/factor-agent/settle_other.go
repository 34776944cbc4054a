//go:build !linux

package main

// settle does something on Linux only.
func settle() error { return nil }
