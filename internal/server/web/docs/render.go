package docs

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"io/fs"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// order is every page, by the name of its file, as the menu has them. The first is the start.
var order = []string{"start", "control", "cameras", "files", "broker", "troubleshooting", "error-codes", "logs"}

// The frame is filled in here and not by html/template, for which the linker would have to keep every exported method of
// everything in the program.
//
//go:embed page.html
var pageHTML string

// words is what the frame around a page says.
var words = map[string]map[string]string{
	"en": {"docs": "Documentation", "menu": "Pages", "here": "On this page", "other": "한국어", "otherLanguage": "ko", "skip": "To the content", "home": "FACTOR", "source": "Source code"},
	"ko": {"docs": "문서", "menu": "문서 목록", "here": "이 페이지에서", "other": "English", "otherLanguage": "en", "skip": "본문으로", "home": "FACTOR", "source": "소스 코드"},
}

type entry struct{ Title, Link string }

var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough),
	goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(links{}, 100))),
)

// render gives a page as HTML. What is in the Markdown as raw HTML is left out.
func (s *Site) render(language, page string) ([]byte, error) {
	source, err := fs.ReadFile(s.Files, language+"/"+page+".md")
	if err != nil {
		return nil, err
	}
	doc := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(&ids{seen: map[string]int{}}))))
	var body bytes.Buffer
	if err := markdown.Renderer().Render(&body, source, doc); err != nil {
		return nil, err
	}
	w := words[language]
	var pages strings.Builder
	for _, p := range order {
		title, err := s.title(language, p)
		if err != nil {
			return nil, err
		}
		here := ""
		if p == page {
			here = ` aria-current="page"`
		}
		fmt.Fprintf(&pages, "\n<li><a href=\"%s\"%s>%s</a></li>", html.EscapeString(Prefix+pathOf(language, p)), here, html.EscapeString(title))
	}
	fill := []string{
		"{{language}}", language, "{{title}}", html.EscapeString(headings(doc, source, 1)[0].Title),
		"{{otherPage}}", html.EscapeString(Prefix + pathOf(w["otherLanguage"], page)),
		"{{pages}}", pages.String(), "{{body}}", string(framed(body.Bytes())), "{{sections}}", sections(headings(doc, source, 2), w["here"]),
	}
	for name, word := range w {
		fill = append(fill, "{{"+name+"}}", html.EscapeString(word))
	}
	return []byte(strings.NewReplacer(fill...).Replace(pageHTML)), nil
}

// sections is the list of a page's headings, where it has more than one.
func sections(list []entry, here string) string {
	if len(list) < 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<nav class=\"sections\" aria-label=\"%[1]s\">\n<p>%[1]s</p>\n<ul>", html.EscapeString(here))
	for _, e := range list {
		fmt.Fprintf(&b, "\n<li><a href=\"%s\">%s</a></li>", html.EscapeString(e.Link), html.EscapeString(e.Title))
	}
	b.WriteString("\n</ul>\n</nav>")
	return b.String()
}

// title gives the first line of a page, which is its heading.
func (s *Site) title(language, page string) (string, error) {
	source, err := fs.ReadFile(s.Files, language+"/"+page+".md")
	line, _, _ := strings.Cut(string(source), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "# ")), err
}

// headings gives the headings of a level; level 1 has at least one, if empty.
func headings(doc ast.Node, source []byte, level int) (list []entry) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level != level {
			continue
		}
		id, _ := h.AttributeString("id")
		name, _ := id.([]byte)
		list = append(list, entry{Title: plain(h, source), Link: "#" + string(name)})
	}
	if level == 1 && len(list) == 0 {
		list = []entry{{}}
	}
	return list
}

func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Value(source))
		} else {
			b.WriteString(plain(c, source))
		}
	}
	return b.String()
}

// framed lets tables and code that are wider than a phone scroll by themselves, reachable by keyboard.
func framed(html []byte) []byte {
	html = bytes.ReplaceAll(html, []byte("<table>"), []byte(`<div class="table-wrap" tabindex="0"><table class="table">`))
	html = bytes.ReplaceAll(html, []byte("</table>"), []byte("</table></div>"))
	return bytes.ReplaceAll(html, []byte("<pre>"), []byte(`<pre tabindex="0">`))
}

// links makes the links between the Markdown files lead to the pages.
type links struct{}

// Transform is called by goldmark once a page is parsed.
func (links) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			n.Destination = []byte(target(string(n.Destination)))
		case *ast.Image:
			n.Destination = []byte(Prefix + strings.TrimPrefix(string(n.Destination), "../"))
		}
		return ast.WalkContinue, nil
	})
}

// repository is where the files that are no pages are read.
const repository = "https://github.com/kangbyounggwan/factor/blob/main/docs/"

func target(link string) string {
	if strings.Contains(link, ":") || strings.HasPrefix(link, "#") || strings.HasPrefix(link, "/") {
		return link
	}
	file, section, has := strings.Cut(link, "#")
	if has {
		section = "#" + section
	}
	if up, ok := strings.CutPrefix(file, "../"); ok {
		return repository + up + section
	}
	page := strings.TrimSuffix(file, ".md")
	if page == order[0] {
		page = "./"
	}
	return page + section
}

// ids names headings as GitHub does, so that a link to one works there as here, in Korean, too.
type ids struct{ seen map[string]int }

// Generate is goldmark's question for a heading's id.
func (i *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(string(value)))
	n := i.seen[id]
	i.seen[id]++
	if n > 0 {
		id += "-" + strconv.Itoa(n)
	}
	return []byte(id)
}

// Put is told of an id that is in the page already.
func (i *ids) Put(value []byte) { i.seen[string(value)]++ }
