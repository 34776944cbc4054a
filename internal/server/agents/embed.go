//go:build embedagents

package agents

import "embed"

// Three files of 5 to 6 MB, left here by `make agents`; one that is missing does not compile.
//
//go:embed factor-agent-linux-amd64.zst factor-agent-linux-arm64.zst factor-agent-linux-armv6.zst
var embedded embed.FS
