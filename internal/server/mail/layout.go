package mail

import (
	_ "embed"
	"fmt"
	"html"
	"strings"
)

// The layouts are filled in here and not by html/template. A template may call methods by their names, for which the
// linker has to keep every exported method of everything in the program: 6 MB of it that nobody calls.

//go:embed layout.html
var layout string

// html is the letter as HTML.
func (l letter) html() string {
	e := html.EscapeString
	var lines, link, after, home strings.Builder
	for _, line := range l.Lines {
		fmt.Fprintf(&lines, "<p style=\"margin:0 0 12px\">%s</p>\n", e(line))
	}
	if l.Link != "" {
		fmt.Fprintf(&link, `<p style="margin:24px 0"><a href="%[1]s" style="display:inline-block;padding:12px 22px;border-radius:8px;background:#c2410c;color:#ffffff;text-decoration:none;font-weight:600">%[2]s</a></p>
<p class="quiet" style="margin:0 0 12px;font-size:13px;color:#5c646d;word-break:break-all">%[1]s</p>
`, e(l.Link), e(l.Button))
	}
	for _, line := range l.After {
		fmt.Fprintf(&after, "<p class=\"quiet\" style=\"margin:0 0 8px;font-size:14px;color:#5c646d\">%s</p>\n", e(line))
	}
	if l.Home != "" {
		fmt.Fprintf(&home, `<br><a class="quiet" href="%[1]s" style="color:#5c646d">%[1]s</a>`, e(l.Home))
	}
	return strings.NewReplacer("{{language}}", l.Language, "{{subject}}", e(l.Subject), "{{title}}", e(l.Title), "{{lines}}", lines.String(),
		"{{link}}", link.String(), "{{after}}", after.String(), "{{footer}}", e(l.Footer), "{{home}}", home.String()).Replace(layout)
}

// plain is the letter without any markup.
func (l letter) plain() string {
	var b strings.Builder
	b.WriteString(l.Title + "\n")
	for _, line := range l.Lines {
		b.WriteString("\n" + line + "\n")
	}
	if l.Link != "" {
		b.WriteString("\n" + l.Button + ":\n" + l.Link + "\n")
	}
	for _, line := range l.After {
		b.WriteString("\n" + line + "\n")
	}
	b.WriteString("\n--\n" + l.Footer)
	if l.Home != "" {
		b.WriteString("\n" + l.Home)
	}
	b.WriteString("\n")
	return b.String()
}
