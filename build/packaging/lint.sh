#!/usr/bin/env bash
# usage: lint.sh VENV
set -euo pipefail
cd "$(dirname "$0")/../.."
py=$1/bin/python
go vet ./...
tools=$PWD/build/cache/bin
[ -x "$tools/golangci-lint" ] || GOBIN=$tools CGO_ENABLED=0 go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
"$tools/golangci-lint" run ./...
"$py" -m ruff check python build
"$py" -m ruff format --check python build
"$py" -m mypy --strict python/tstrans
"$py" build/abi/generate.py --check
