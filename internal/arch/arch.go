// Package arch holds no code: its test keeps the dependency arrows of the project.
//
//	wire ← foundation ← capabilities ← gateway, web ← cmd
//
// Both programs speak through wire. Capabilities never import each other: they meet through small interfaces that
// the user of a thing declares, or over the bus. A new folder is placed in [layers] of arch_test.go.
package arch
