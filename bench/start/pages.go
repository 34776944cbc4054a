package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// weight is what a page's scripts weigh on the wire.
type weight struct {
	bytes int64
	files int
}

var (
	inIndex   = regexp.MustCompile(`/_app/immutable/[\w./-]+\.js`)
	imports   = regexp.MustCompile("(?:from|import)\\s*[\"'`](\\.{1,2}/[\\w./-]+\\.js)[\"'`]")
	nodeFiles = regexp.MustCompile("import\\([\"'`]\\.\\./(nodes/(\\d+)\\.[\\w-]+\\.js)[\"'`]\\)")
)

// weigh adds up the scripts that a browser fetches for a route: those that index.html names, the route's own node and
// its layouts', and all that they import at once. What is imported when it is needed (charts) is not counted.
func weigh(ctx context.Context, base, route string) (weight, error) {
	w := weight{}
	seen := map[string]string{}
	html, _, err := fetch(ctx, base+"/")
	if err != nil {
		return w, err
	}
	queue := inIndex.FindAllString(html, -1)
	if len(queue) == 0 {
		return w, fmt.Errorf("index.html names no scripts: build the pages first (make build)")
	}
	app := ""
	take := func() error {
		for len(queue) > 0 {
			name := queue[0]
			queue = queue[1:]
			if _, ok := seen[name]; ok {
				continue
			}
			text, size, err := fetch(ctx, base+name)
			if err != nil {
				return err
			}
			seen[name] = text
			w.bytes += size
			w.files++
			if strings.Contains(name, "/entry/app.") {
				app = text
			}
			for _, m := range imports.FindAllStringSubmatch(text, -1) {
				queue = append(queue, path.Join(path.Dir(name), m[1]))
			}
		}
		return nil
	}
	if err := take(); err != nil {
		return w, err
	}
	nodes, err := nodesOf(app, route)
	if err != nil {
		return w, err
	}
	if !nodeFiles.MatchString(app) {
		return w, errors.New("the pages' entry names its nodes in a way that is not known here")
	}
	for _, m := range nodeFiles.FindAllStringSubmatch(app, -1) {
		if nodes[m[2]] {
			queue = append(queue, "/_app/immutable/"+m[1])
		}
	}
	return w, take()
}

// nodesOf reads from SvelteKit's app entry which nodes a route is made of: "route":[page,[layouts]].
func nodesOf(app, route string) (map[string]bool, error) {
	entry := regexp.MustCompile(`"` + regexp.QuoteMeta(route) + `":\[~?(\d+)(?:,\[([\d,]*)\])?`)
	m := entry.FindStringSubmatch(app)
	if m == nil {
		return nil, fmt.Errorf("the pages have no route %s", route)
	}
	nodes := map[string]bool{"0": true, m[1]: true} // 0 is the layout around everything
	for n := range strings.SplitSeq(m[2], ",") {
		if n != "" {
			nodes[n] = true
		}
	}
	return nodes, nil
}

// fetch gets a file as a browser does, and gives it with the bytes that it took.
func fetch(ctx context.Context, url string) (text string, size int64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", 0, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s: %s", url, resp.Status)
	}
	counted := &counter{r: resp.Body}
	body := io.Reader(counted)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(counted); err != nil {
			return "", 0, err
		}
	}
	all, err := io.ReadAll(body)
	return string(all), counted.n, err
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
