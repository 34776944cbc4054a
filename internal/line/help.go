package line

import (
	"fmt"
	"strings"
	"unicode"
)

// Help is set in lines of width columns; what an option does begins at the column texts.
const (
	width = 80
	texts = 31
)

// help tells about a command, or about those below words.
func (l *Line) help(c *Command, words []string) error {
	var b strings.Builder
	usage, about, more, list := l.Name, l.Help, "", l.Commands
	if c != nil {
		usage, about, more, list = usage+" "+strings.Join(words, " "), c.Help, c.More, c.Commands
	}
	global, err := optionsOf(l.Options)
	if err != nil {
		return err
	}
	var own []*option
	if list != nil {
		usage += " <command>"
	} else if own, err = optionsOf(c.Options); err != nil {
		return err
	}
	fmt.Fprintf(&b, "Usage: %s [flags]\n\n%s\n", usage+needed(own), about)
	for paragraph := range strings.SplitSeq(more, "\n\n") {
		if paragraph != "" {
			b.WriteByte('\n')
			fill(&b, 0, 0, paragraph)
		}
	}
	for _, o := range own {
		if o.arg {
			fmt.Fprintf(&b, "\nArguments:\n%s", columns("  "+o.usage(), o.help))
		}
	}
	b.WriteString("\nFlags:\n" + columns("  -h, --help", "Show this help, of the command where it follows one."))
	describe(&b, global)
	if len(own) > 0 {
		b.WriteString("\n")
		describe(&b, own)
	}
	if list != nil {
		b.WriteString("\nCommands:\n")
		commands(&b, words, list)
		fmt.Fprintf(&b, "\nRun \"%s <command> --help\" for more information on a command.\n", l.Name)
	}
	return Help(b.String())
}

// needed is what a command cannot do without.
func needed(options []*option) string {
	var b strings.Builder
	for _, o := range options {
		if !o.required {
			continue
		}
		for i, r := range o.rivals(options) {
			b.WriteString([]string{" ", "|"}[min(i, 1)] + r.usage())
		}
	}
	return b.String()
}

func describe(b *strings.Builder, options []*option) {
	for _, o := range options {
		if o.arg {
			continue
		}
		short := "    "
		if o.short != "" {
			short = "-" + o.short + ", "
		}
		text := strings.TrimSuffix(o.help, ".")
		if o.initial != "" && o.placeholder != "" {
			text += " (" + o.initial + " by default)"
		}
		if o.env != "" {
			text += " ($" + o.env + ")"
		}
		b.WriteString(columns("  "+short+o.usage(), text+"."))
	}
}

func commands(b *strings.Builder, words []string, list []*Command) {
	for _, c := range list {
		if c.Hidden {
			continue
		}
		if c.Commands != nil {
			commands(b, append(words[:len(words):len(words)], c.Name), c.Commands)
			continue
		}
		b.WriteString(columns("  "+strings.Join(append(words[:len(words):len(words)], c.Name), " "), c.Help))
	}
}

// columns sets a name and its text beside it, or below where the name is long.
func columns(name, text string) string {
	var b strings.Builder
	b.WriteString(name)
	column := cells(name)
	if column+2 > texts {
		b.WriteByte('\n')
		column = 0
	}
	fill(&b, column, texts, text)
	return b.String()
}

// fill sets a text in lines that begin at the column indent, the first of which has reached column.
func fill(b *strings.Builder, column, indent int, text string) {
	for i, word := range strings.Fields(text) {
		long := cells(word)
		switch {
		case i > 0 && column+1+long > width:
			b.WriteByte('\n')
			column = 0
			fallthrough
		case i == 0:
			b.WriteString(strings.Repeat(" ", indent-column))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += long
	}
	b.WriteByte('\n')
}

// cells is how many columns of a terminal a text takes.
func cells(text string) (n int) {
	for _, r := range text {
		n++
		if unicode.Is(unicode.Hangul, r) {
			n++
		}
	}
	return n
}
