package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// width is what help is set in, in columns of a terminal.
const width = 80

// help tells about the whole program.
func help(out io.Writer, commands []*command) {
	fmt.Fprint(out, "Usage: factor-agent <command>\n\nFollows an OctoPrint and tells a FACTOR server.\n\nCommands:\n")
	for _, c := range commands {
		if !c.hidden {
			fmt.Fprintf(out, "  %-9s%s\n", c.name, c.help)
		}
	}
	fmt.Fprint(out, "\nRun \"factor-agent <command> --help\" for more information on a command.\n")
}

// tell tells about one command.
func (c *command) tell(out io.Writer) {
	usage := "Usage: factor-agent " + c.name
	if len(c.options) > 0 {
		usage += " [flags]"
	}
	fmt.Fprintf(out, "%s\n\n%s\n", usage, c.help)
	for paragraph := range strings.SplitSeq(c.more, "\n\n") {
		if paragraph != "" {
			fmt.Fprintf(out, "\n%s", wrapped(paragraph, 0))
		}
	}
	if len(c.options) > 0 {
		fmt.Fprint(out, "\nFlags:\n")
	}
	for i := range c.options {
		o := &c.options[i]
		name := "  --" + o.name
		text := o.help
		if o.value != nil {
			name += "=VALUE"
			if *o.value != "" {
				text += " Default: " + *o.value + "."
			}
		}
		if o.needed && len(c.alternatives(o)) == 1 {
			text += " Needed."
		}
		fmt.Fprintf(out, "%s\n%s", name, wrapped(text+" ($"+o.env()+")", 6))
	}
}

// wrapped sets a text in lines that begin with some spaces.
func wrapped(text string, indent int) string {
	var out strings.Builder
	column := width
	for _, word := range strings.Fields(text) {
		long := 0
		for _, r := range word {
			long++
			if unicode.Is(unicode.Hangul, r) { // takes two columns
				long++
			}
		}
		if column+1+long > width {
			if out.Len() > 0 {
				out.WriteByte('\n')
			}
			out.WriteString(strings.Repeat(" ", indent))
			column = indent
		} else {
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += long
	}
	out.WriteByte('\n')
	return out.String()
}
