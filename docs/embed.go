// Package docs carries the pages for people who use FACTOR, as they are read in the tree; the server shows them under
// /docs.
package docs

import "embed"

// Files is a folder a language, with the same pages in each.
//
//go:embed en/*.md ko/*.md
var Files embed.FS
