#!/usr/bin/env bash
# usage: fuzz.sh TIME [PACKAGE ...]: run every fuzz target of the packages for TIME each; stop at the first failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=$1; shift
for pkg in $(go list "${@:-./...}"); do
  for target in $(go test -list '^Fuzz' "$pkg" 2>/dev/null | grep '^Fuzz' || true); do
    echo "== $pkg $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x -parallel "${FUZZPARALLEL:-2}" "$pkg"
  done
done
