// Package web holds the built pages inside the program, so that one file is the whole platform.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:build
var embedded embed.FS

//go:embed src/lib/styles/tokens.css src/lib/styles/base.css
var styles embed.FS

// Styles is what every page is made of: the tokens and the base, for what is shown beside the site in the same look.
var Styles = append(mustRead("tokens.css"), mustRead("base.css")...)

func mustRead(name string) []byte {
	text, err := styles.ReadFile("src/lib/styles/" + name)
	if err != nil {
		panic("web: " + err.Error()) // the names are those that are embedded
	}
	return text
}

// Build is the static site as `npm run build` left it: index.html, which serves every page, and its files.
// In a tree whose pages were never built it holds no index.html, and the server says so instead of serving a blank page.
var Build fs.FS = mustSub(embedded, "build")

func mustSub(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic("web: " + err.Error()) // only an invalid name can fail, and the name is a constant
	}
	return sub
}
