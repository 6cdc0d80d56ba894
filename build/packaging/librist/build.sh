#!/usr/bin/env bash
# usage: build.sh: build librist from the source beside this file; prints where the library is, nothing where a tool is missing.
#
# Debian 12 has librist 0.2.7, which makes two system calls for each packet where this one (the source package of
# Debian 13, unchanged but for the patches here) makes one. Both have one ABI: either serves.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for tool in meson ninja patch pkg-config xz; do command -v "$tool" >/dev/null || exit 0; done
pkg-config --exists libcjson && echo '#include <mbedtls/aes.h>' | gcc -E - >/dev/null 2>&1 || exit 0
cd "$here"
digest=$(cat build.sh ./*.tar.xz ./*.patch | sha256sum | cut -c1-16)
out=$here/../../out/librist-$digest/librist.so.4
if [ ! -f "$out" ]; then
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  tar -C "$tmp" --strip-components=1 -xf ./*.tar.xz
  for p in ./*.patch; do patch -s -d "$tmp" -p1 < "$p"; done
  meson setup "$tmp/build" "$tmp" --buildtype=release -Db_lto=true -Dtest=false -Dbuilt_tools=false -Dfallback_builtin=false \
    >"$tmp/log" 2>&1 && ninja -C "$tmp/build" >>"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
  mkdir -p "$(dirname "$out")"
  strip --strip-unneeded -o "$out.$$" "$tmp/build/librist.so.4"
  mv -f "$out.$$" "$out"
fi
realpath "$out"
