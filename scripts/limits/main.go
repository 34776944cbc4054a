// Limits writes the limits that pages state themselves as TypeScript, from internal/wire, where server and agent have
// them from. Run from the top of the tree after a change there: go run ./scripts/limits
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const target = "web/src/lib/control/limits.gen.ts"

func main() {
	if err := os.WriteFile(target, typescript(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func typescript() []byte {
	var b bytes.Buffer
	b.WriteString("/** Made from internal/wire by `go run ./scripts/limits`: change it there. */\n\n")
	fmt.Fprintf(&b, "/** The most that an owner can allow, °C. */\nexport const highest = { tool: %g, bed: %g, chamber: %g } as const;\n",
		wire.HighestTool, wire.HighestBed, wire.HighestChamber)
	fmt.Fprintf(&b, "/** What counts where the owner has set nothing, °C. */\nexport const usual = { tool: %g, bed: %g, chamber: %g } as const;\n",
		wire.DefaultMaxTool, wire.DefaultMaxBed, wire.DefaultMaxChamber)
	fmt.Fprintf(&b, "/** Bytes of a line of the terminal or of a macro. */\nexport const maxLine = %d;\n", wire.MaxLine)
	fmt.Fprintf(&b, "/** Lines of a macro. */\nexport const maxLines = %d;\n", wire.MaxLines)
	fmt.Fprintf(&b, "/** Bytes of a file's name. */\nexport const maxFileName = %d;\n", wire.MaxFileName)
	return b.Bytes()
}
