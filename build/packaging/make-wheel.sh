#!/usr/bin/env bash
# usage: make-wheel.sh VENV OUTDIR: a wheel whose tag names the glibc it needs, native libraries inside.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
py=$1/bin/python; out=$2
raw=$(mktemp -d); trap 'rm -rf "$raw"' EXIT
rm -rf "$out"; mkdir -p "$out"
"$py" -m pip -q --disable-pip-version-check wheel --no-deps --no-build-isolation -w "$raw" .
PATH="$(cd "$1/bin" && pwd):$PATH" "$py" -m auditwheel repair -w "$out" "$raw"/*.whl
ls -l "$out"
