//go:build embedagents

package agents

import "embed"

// Four files of about 4 MB, left here by `make agents`; a platform that is missing does not compile.
//
//go:embed factor-agent-linux-amd64.zst factor-agent-linux-arm64.zst factor-agent-linux-armv6.zst factor-agent-linux-armv7.zst
var embedded embed.FS
