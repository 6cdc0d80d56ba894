#!/usr/bin/env bash
# usage: build.sh WORK: build the page in the folder WORK and put the result, compressed, into dist.
# Needs Node 20.19 or later and npm; everything else in the repository does without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
rm -rf "$1/src" "$1/out" "$1/package-lock.json"
cp -r "$here"/{package.json,tsconfig.json,vite.config.ts,index.html,src} "$1/"
[ ! -f "$here/package-lock.json" ] || cp "$here/package-lock.json" "$1/"
cd "$1"
npm install --no-audit --no-fund --silent
npm run --silent build
rm -rf "$here/dist"
mkdir "$here/dist"
for f in out/*; do
  # No name and no time: the same sources give the same bytes.
  gzip -9nc "$f" > "$here/dist/$(basename "$f").gz"
done
cp node_modules/hls.js/LICENSE "$here/../../../python/tstrans/_licenses/hls.js.txt"
cp package-lock.json "$here/"
ls -l "$here/dist"
