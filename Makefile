# Every task of the project by name. `make help` lists them.

PYTHON ?= python3
GOFLAGS_BUILD := -trimpath
VERSION := $(shell cat VERSION)
LDFLAGS := -s -w -X github.com/kangbyounggwan/factor/internal/version.number=$(VERSION)
PAGES := $(shell find web/src web/static web/messages web/project.inlang/settings.json -type f -not -path '*/paraglide/*' 2>/dev/null) \
         $(wildcard web/package-lock.json web/vite.config.ts web/svelte.config.js web/squeeze.js)

.DEFAULT_GOAL := help

##@ Using it

.PHONY: help
help: ## Lists every task
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Server, pages, a virtual printer and a print, on this machine; Ctrl-C ends it (PRINTER=none: no printer)
	@exec $(PYTHON) scripts/run.py

.PHONY: build
build: pages programs ## bin/factor with the pages inside, bin/factor-agent

.PHONY: release
release: pages agents ## The same bin/factor with the four Linux agents inside, too
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -tags embedagents -o bin/factor ./cmd/factor
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o bin/factor-agent ./cmd/factor-agent

##@ Trying it

.PHONY: test
test: ## Every test, with all set-up it needs; PART=name runs one part, `make test PART=list` names them
	@exec $(PYTHON) scripts/test.py $(PART)

.PHONY: test-long
test-long: ## What takes long: races, fuzzing, other OctoPrints, bad networks, an hour of video; REPEAT=n repeats the browser tests
	@exec $(PYTHON) scripts/test.py --long $(PART)

.PHONY: lint
lint: ## The linters alone: gofmt, go vet, staticcheck, ruff, vermin, svelte-check
	@exec $(PYTHON) scripts/test.py lint

.PHONY: fuzz
fuzz: ## Every fuzz test for FUZZTIME (default 30s)
	@exec $(PYTHON) scripts/fuzz.py $(or $(FUZZTIME),30s)

.PHONY: bench
bench: release ## The figures of docs/performance.md
	@exec $(PYTHON) scripts/bench.py

.PHONY: screenshots
screenshots: build ## Every page: desktop, phone, light, dark, ko, en, empty, 1 and 50 printers, into screenshots/
	@$(PYTHON) scripts/needs.py test
	@rm -rf screenshots
	@cd e2e && exec npx playwright test --config screenshots.config.ts

##@ Parts

.PHONY: setup
setup: ## Installs what the tests need and is not there yet
	@$(PYTHON) scripts/needs.py test

.PHONY: programs
programs: ## bin/factor and bin/factor-agent, with the pages as they were built last
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

.PHONY: pages
pages: web/build/index.html ## The pages into web/build

# Kit's adapter empties its folder first; the file that keeps the folder in the tree goes back.
web/build/index.html: $(PAGES)
	@$(PYTHON) scripts/needs.py pages
	cd web && npm run --silent build
	@touch web/build/.gitkeep web/build/index.html

# `GOARCH=arm64 make release` is for another machine; what packs the agents runs on this one.
.PHONY: agents
agents: ## factor-agent for linux amd64, arm64, armv7, armv6, where the server embeds it
	GOOS= GOARCH= GOARM= go run ./scripts/packagents -ldflags '$(LDFLAGS)'

OUT ?= bin
.PHONY: plugin-zip
plugin-zip: ## bin/factor-plugin.zip, made for no server: for the plugin repository; it asks for its server's address
	@mkdir -p $(OUT)
	cd plugin && find setup.py requirements.txt octoprint_factor_mqtt -type f -not -path '*/__pycache__/*' -not -name server.json | sort | \
	  $(PYTHON) -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], "w", 8); [z.write(f) for f in sys.stdin.read().split()]; z.close()' \
	  $(abspath $(OUT))/factor-plugin.zip

.PHONY: sample
sample: ## Slices the sample prints of testdata again (needs prusa-slicer)
	cd testdata && $(PYTHON) make_stl.py
	cd testdata && prusa-slicer --export-gcode --load sample.ini --center 100,100 -o sample.gcode factor-token.stl
	cd testdata && prusa-slicer --export-gcode --load short.ini --center 100,100 -o short.gcode factor-tile.stl

.PHONY: clean
clean: ## Removes what was built and what tests left; keeps .run (your data) and node_modules
	rm -rf bin .cache screenshots e2e/results web/.svelte-kit internal/server/agents/*.zst
	find web/build -mindepth 1 -not -name .gitkeep -delete
