#!/usr/bin/env bash
# usage: go-licences.sh LIBRARY OUT: the licences of Go and of every Go module that LIBRARY was linked from.
set -euo pipefail
library=$1; out=$2
cd "$(dirname "$0")/../.."
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
{
  echo "Go $(go env GOVERSION)"
  echo
  cat "$(go env GOROOT)/LICENSE"
  go version -m "$library" | awk '$1 == "dep" { print $2 }' | while read -r module; do
    dir=$(go list -m -f '{{.Dir}}' "$module")
    found=0
    # A module without such a file states its licence in its README.
    for f in "$dir"/LICEN[CS]E* "$dir"/LICENSES/* "$dir"/COPYING* "$dir"/NOTICE* "$dir"/README.md; do
      [ -f "$f" ] || continue
      case "$f" in */README.md) [ "$found" = 0 ] || continue ;; esac
      found=1
      printf '\n\n%s\n%s\n\n' "--------" "$(go list -m -f '{{.Path}} {{.Version}}' "$module"), $(basename "$f")"
      cat "$f"
    done
    [ "$found" = 1 ] || { echo "no licence found: $module" >&2; exit 1; }
  done
} > "$tmp"
install -m 644 "$tmp" "$out"
