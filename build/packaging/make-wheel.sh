#!/usr/bin/env bash
# usage: make-wheel.sh VENV OUTDIR: a wheel whose tag names the glibc it needs, native libraries inside.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
py=$1/bin/python; out=$2
raw=$(mktemp -d); trap 'rm -rf "$raw"' EXIT
rm -rf "$out"; mkdir -p "$out"
"$py" -m pip -q --disable-pip-version-check wheel --no-deps --no-build-isolation -w "$raw" .
# What librist and libopus need travels beside them in _libs and is opened before them: without these options
# a second copy of it would go into the wheel.
PATH="$(cd "$1/bin" && pwd):$PATH" "$py" -m auditwheel repair --exclude libcjson.so.1 --exclude libmbedcrypto.so.7 --exclude libopus.so.0 -w "$out" "$raw"/*.whl
ls -l "$out"
