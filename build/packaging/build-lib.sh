#!/usr/bin/env bash
# usage: build-lib.sh OUT [GO BUILD FLAGS ...]: build the shared library.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(realpath -m "$1"); shift
cd "$root"
# Go's build cache does not see edits of headers outside the package's folder: a file inside it that holds
# their digest makes it look again.
digest=$(cat include/tstrans.h include/tstrans/*.h | sha256sum | cut -c1-16)
want="/* digest of the public headers, for the build cache: $digest */"
[ -f capi/header_hash.h ] && [ "$(cat capi/header_hash.h)" = "$want" ] || echo "$want" > capi/header_hash.h
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=1 go build -trimpath -buildmode=c-shared "$@" \
  -ldflags "-s -w -linkmode external -extldflags '-Wl,--version-script=$root/capi/tstrans.map -Wl,-z,now'" \
  -o "$tmp/libtstrans.so" ./capi
mv -f "$tmp/libtstrans.so" "$out"
