//go:build !linux

package main

import "runtime/debug"

// tidy gives memory back that only the start needed.
func tidy() { debug.FreeOSMemory() }
