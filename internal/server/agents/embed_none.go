//go:build !embedagents

package agents

import "embed"

var embedded embed.FS
