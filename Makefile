# One Makefile: CI and people call the same targets. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := build/venv
VPY := $(VENV)/bin/python
LIB := python/tstrans/libtstrans.so
export CGO_ENABLED := 1
export PYTHONPATH := $(CURDIR)/python
# Fuzzing time a target, and what `make bench` compares with (a Python that has the other wheel).
FUZZTIME ?= 10m
PEER ?= build/interop/env/wheel08/bin/python
PREFIX ?= build/out/prefix

# The published wheel, once `make peers` has installed it: the differential tests look for it here.
WITH_PEER = TSTRANS_PEER_PYTHON=$${TSTRANS_PEER_PYTHON:-$$(ls $(CURDIR)/build/interop/env/wheel08/bin/python 2>/dev/null || true)}

# Go's tests open librist where the library finds it.
WITH_LIBS = TSTRANS_LIBS=$(CURDIR)/python/tstrans/_libs

GO_SOURCES := $(shell git ls-files -co --exclude-standard '*.go' '*.c' '*.h' 'go.mod' 'go.sum' 'capi/tstrans.map' 'build/packaging/librist/*' 'core/hls/page/dist/*' 2>/dev/null)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: deps
deps: ## install the Debian packages that building needs
	@build/packaging/apt-install.sh build/apt-packages.txt

.PHONY: deps-test
deps-test: ## install the Debian packages that the tests need
	@build/packaging/apt-install.sh build/apt-packages.txt build/apt-packages-test.txt

.PHONY: venv
venv: $(VENV)/.done ## the Python environment of tests and tools
$(VENV)/.done: build/requirements-dev.txt
	@build/packaging/make-venv.sh "$(PYTHON)" $(VENV) build/requirements-dev.txt
	@touch $@

.PHONY: lib
lib: $(LIB) ## the shared library, beside the Python package
$(LIB): $(GO_SOURCES)
	@build/packaging/build-lib.sh $@

.PHONY: abi
abi: venv ## regenerate the ctypes prototypes from the C headers
	@$(VPY) build/abi/generate.py

.PHONY: page
page: ## rebuild the web page of live streams into the repository (needs Node 20.19 and npm; nothing else does)
	@core/hls/page/build.sh build/out/page

.PHONY: demo
demo: deps lib ## show what is inside a real capture
	@$(PYTHON) -m tstrans probe testdata/demo.ts
	@echo
	@$(PYTHON) -m tstrans events testdata/demo.ts --limit 12

.PHONY: peers
peers: ## install the other implementations that the tests compare with, where they can be had
	@build/interop/setup.sh

.PHONY: test
test: deps-test venv peers lib test-go test-python ## everything CI runs

.PHONY: test-go
test-go: ## the Go tests with the race detector, the C, C++ and cgo-free programs among them
	go vet ./...
	$(WITH_LIBS) go test -race ./...

.PHONY: test-python
test-python: venv lib ## the Python tests
	$(VPY) build/abi/generate.py --check
	# All in one process. A test that hangs shows its stacks after ten minutes, and all of them end after fifty.
	$(WITH_PEER) timeout -k 30 3000 $(VPY) -m pytest -q -o faulthandler_timeout=600 python/tests

.PHONY: soak
soak: deps-test venv lib ## the tests that take longer
	TSTRANS_SOAK=1 $(WITH_LIBS) go test -timeout 60m ./...
	TSTRANS_SOAK=1 $(WITH_PEER) $(VPY) -m pytest -q python/tests

.PHONY: wheel
wheel: deps venv ## a wheel in build/dist
	@build/packaging/make-wheel.sh $(VENV) build/dist

.PHONY: install
install: deps lib ## library, headers, tstrans.pc and CMake package under PREFIX (build/out/prefix)
	@build/packaging/install.sh $(LIB) $(PREFIX)

.PHONY: bench
bench: venv lib ## Go benchmarks, then Python beside the peer where it is there
	@build/bench/run.sh $(VPY) $(PEER)

.PHONY: lint
lint: venv ## vet, golangci-lint, ruff, mypy --strict, stale prototypes
	@build/packaging/lint.sh $(VENV)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10m)
	@build/packaging/fuzz.sh $(FUZZTIME)

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf build/out build/dist build/venv build/cache $(LIB) capi/header_hash.h
