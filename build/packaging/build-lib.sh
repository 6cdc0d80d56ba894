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
# The native libraries go in whole, so that the result needs libc and libm only: a folder that holds just
# their archives comes first in the linker's search. Its path stays the same, as it is part of what Go's build
# cache compares.
static=$root/build/out/static
mkdir -p "$static"
for lib in libsrt libcrypto libstdc++; do
  archive=$(gcc -print-file-name="$lib.a")
  [ -f "$archive" ] && ln -sf "$(realpath "$archive")" "$static/$lib.a"
done
export CGO_LDFLAGS="-L$static ${CGO_LDFLAGS:-}" CGO_LDFLAGS_ALLOW="${CGO_LDFLAGS_ALLOW:--L.*}"
# Packed relative relocations: 1.7 MB less of file to read at each start (glibc 2.36, as the wheel's tag says).
CGO_ENABLED=1 go build -trimpath -buildmode=c-shared "$@" \
  -ldflags "-s -w -linkmode external -extldflags '-Wl,--version-script=$root/capi/tstrans.map -Wl,-z,now -Wl,-z,pack-relative-relocs -Wl,--exclude-libs,ALL -static-libgcc'" \
  -o "$tmp/libtstrans.so" ./capi
# Copied in small pieces, as pip installs it: the page cache keeps a file in the pieces it was written in, and a
# process that touches one byte is charged for its whole piece, up to 2 MiB.
#
# Never onto the old file: truncating a library under a process that has it loaded takes back the pages that were
# relocated there, and the process crashes, at the latest in its next dlopen.
place() { # from, to
  dd if="$1" of="$2.new" bs=64k status=none
  chmod --reference="$1" "$2.new"
  mv -f "$2.new" "$2"
}
place "$tmp/libtstrans.so" "$out"
# librist has no archive, and that of libopus is not position-independent: they travel beside the library, which
# opens them at first use.
case "$out" in
*/python/tstrans/*)
  libs=$(dirname "$out")/_libs
  mkdir -p "$libs"
  rist=$(build/packaging/librist/build.sh)
  for lib in librist.so.4 libcjson.so.1 libmbedcrypto.so.7 libopus.so.0; do
    found=$(ldconfig -p | awk -v lib="$lib" '$1 == lib && !n++ { print $NF }')
    case "$lib" in librist.*) found=${rist:-$found} ;; esac
    [ -z "$found" ] || cmp -s "$found" "$libs/$lib" || place "$found" "$libs/$lib"
  done
  build/packaging/go-licences.sh "$out" "$(dirname "$out")/_licenses/go-modules.txt"
  ;;
esac
