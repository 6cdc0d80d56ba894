#!/usr/bin/env bash
# Install what the interoperability tests compare with, each in an environment of its own: other readers of KLV
# and the published wheels. What cannot be had here is left out, and the tests that need it say so.
# usage: setup.sh [TARGET]     TARGET defaults to build/interop/env
# Needs python3, and for jMISB: javac and mvn.
set -u
target=${1:-$(dirname "$0")/env}
mkdir -p "$target"
target=$(cd "$target" && pwd)

venv() { # name, packages ...
  local at="$target/$1"
  shift
  [ -e "$at/.done" ] && return
  { [ -x "$at/bin/python" ] || python3 -m venv "$at"; } &&
    "$at/bin/pip" -q --disable-pip-version-check install "$@" && touch "$at/.done" ||
    { echo "not installed: $*" >&2; rm -rf "$at"; }
}

venv klv stanag4609==0.4.0 klvdata==0.0.3
venv aiortc aiortc==1.16.0 av numpy
venv wheel08 tstrans==0.8.0 pandas
venv aiortp aiortp==0.8.0 numpy opuslib G722 uvloop
venv fastapi fastapi==0.76.0 uvicorn==0.17.6 "anyio<4"
venv wheel02 tstrans==0.2.0 pandas

if command -v mvn >/dev/null && command -v javac >/dev/null; then
  mkdir -p "$target/jmisb"
  for a in org.jmisb:jmisb-api:1.12.0 org.jmisb:jmisb-core-common:1.12.0 org.slf4j:slf4j-api:1.7.36; do
    name=${a#*:}
    [ -e "$target/jmisb/${name/:/-}.jar" ] && continue
    mvn -q -B dependency:get -Dartifact="$a" -Dtransitive=false &&
      mvn -q -B dependency:copy -Dartifact="$a" -DoutputDirectory="$target/jmisb" || echo "not installed: $a" >&2
  done
else
  echo "not installed: jMISB (needs mvn and javac)" >&2
fi
# The player of python-hls-stream's page, in its version.
if command -v npm >/dev/null && [ ! -e "$target/videojs/node_modules/video.js" ]; then
  npm install --prefix "$target/videojs" --no-audit --no-fund --silent video.js@7.18.1 || echo "not installed: video.js" >&2
fi
# MediaMTX is built from its module; what its own build would download (a player for HLS) is left empty.
if command -v go >/dev/null; then
  if [ ! -x "$target/mediamtx/mediamtx" ]; then
    version=v1.12.3
    work=$(mktemp -d)
    go mod download "github.com/bluenviron/mediamtx@$version" &&
      cp -r "$(go env GOMODCACHE)/github.com/bluenviron/mediamtx@$version/." "$work" && chmod -R u+w "$work" &&
      echo "$version" >"$work/internal/core/VERSION" && : >"$work/internal/servers/hls/hls.min.js" &&
      (cd "$work" && go build -o "$target/mediamtx/mediamtx" .) || echo "not installed: MediaMTX" >&2
    chmod -R u+w "$work" && rm -rf "$work"
  fi
else
  echo "not installed: MediaMTX (needs go)" >&2
fi
exit 0
