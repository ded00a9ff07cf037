# berth: `make` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GO      ?= go
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
FUZZ    ?= 30s

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## build ./berth
	$(BUILD) -o berth ./cmd/berth

.PHONY: run
run: build ## build and serve on :5000 with ./config.yaml and ./data
	./berth serve --config config.yaml

.PHONY: test
test: ## install what the tests need and run all of them; what cannot run is named at the end
	@failed=; for step in tools check unit race fuzz e2e; do \
		echo "== make $$step"; $(MAKE) --no-print-directory $$step || failed+=" $$step"; done; \
	test -z "$$failed" || { echo "failed or not run:$$failed"; exit 1; }

.PHONY: check
check: ## formatting, go vet, tidy modules
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	for m in e2e e2e/differential bench; do (cd $$m && $(GO) vet ./... && $(GO) mod tidy -diff); done
	$(GO) mod tidy -diff

.PHONY: unit
unit: ## unit tests; need nothing but Go
	$(GO) test ./...

.PHONY: race
race: ## unit tests with the race detector
	$(GO) test -race -short ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZ (30s) each
	GO=$(GO) FUZZ=$(FUZZ) ./.ci/fuzz

.PHONY: tools
tools: ## install the programs that the end-to-end tests drive
	./e2e/install-tools.sh

.PHONY: e2e
e2e: build ## end-to-end tests with real clients, the conformance suite, 300 kills and disks that fail (needs `make tools`)
	cd e2e && BERTH_BIN=$(CURDIR)/berth BERTH_REQUIRE=all $(GO) test -count=1 -timeout 20m .
	cd e2e && BERTH_BIN=$(CURDIR)/berth BERTH_REQUIRE=all $(GO) test -count=1 -timeout 20m -v ./crash
	cd e2e && BERTH_BIN=$(CURDIR)/berth BERTH_REQUIRE=all $(GO) test -count=1 -timeout 20m -v ./durability
	cd e2e/differential && $(GO) test -count=1 -timeout 20m .
	BERTH_REQUIRE=all $(GO) test -count=1 ./ratelimit/redis

.PHONY: clients
clients: build ## docs/clients.md with the clients that take minutes to build too
	./e2e/install-tools.sh tools-clients.txt
	cd e2e && BERTH_BIN=$(CURDIR)/berth BERTH_REQUIRE=clients $(GO) test -count=1 -timeout 30m .

.PHONY: differential
differential: ## the same requests to berth and to distribution's handlers; every difference is in docs/differences.md
	cd e2e/differential && $(GO) test -count=1 -timeout 20m .

.PHONY: bench
bench: ## speed and CPU beside a floor program and distribution; tables in dist/bench.md, figures in dist/bench.json
	@mkdir -p dist
	cd bench && $(GO) run . -json ../dist/bench.json -markdown ../dist/bench.md $(BENCH)

.PHONY: soak
soak: ## what a registry of a million tags and repositories costs beside one of a hundred (takes an hour)
	@mkdir -p dist
	cd bench && $(GO) run . -growth 100,10000,1000000 -json ../dist/growth.json -markdown ../dist/growth.md $(BENCH)

.PHONY: conformance
conformance: tools build ## the OCI conformance suite alone
	cd e2e && BERTH_BIN=$(CURDIR)/berth BERTH_REQUIRE=all $(GO) test -count=1 -run Conformance -v .

.PHONY: chaos
chaos: build ## kill the server 5000 times under load, and fill its disk page by page
	cd e2e && BERTH_SWEEP=64 BERTH_BIN=$(CURDIR)/berth $(GO) test -count=1 -timeout 1h -v -run Full ./durability
	cd e2e && BERTH_KILLS=5000 BERTH_BIN=$(CURDIR)/berth $(GO) test -count=1 -timeout 3h -v ./crash

.PHONY: compare
compare: tools build ## the README's comparison with the newest distribution registry
	GOBIN=$(CURDIR)/.tools GOFLAGS= CGO_ENABLED=0 $(GO) install -ldflags "-s -w" github.com/distribution/distribution/v3/cmd/registry@v3.1.2
	cd e2e && BERTH_COMPARE=1 BERTH_BIN=$(CURDIR)/berth $(GO) test -v -count=1 -run TestCompare . | grep '^|'

.PHONY: lint
lint: ## golangci-lint, as configured in .golangci.yaml
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2 run

.PHONY: image
image: ## build the container image berth:dev
	docker build -t berth:dev --build-arg VERSION=$(VERSION) .

.PHONY: clean
clean: ## remove what was built
	rm -rf berth .tools
