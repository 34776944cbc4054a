// Package docs carries the pages for people who use FACTOR, as they are read in the tree; the server shows them under
// /docs.
package docs

import "embed"

// Files is a folder a language, with the same pages in each, and their pictures.
//
//go:embed en/*.md ko/*.md images/guide/*.webp
var Files embed.FS
