#!/usr/bin/env bash
# Install what the KLV interoperability tests compare with, each in an environment of its own.
# usage: setup.sh [TARGET]     TARGET defaults to build/interop/env
# Needs python3, and for jMISB: default-jdk-headless and maven.
set -eu
target=${1:-$(dirname "$0")/env}
mkdir -p "$target"
target=$(cd "$target" && pwd)

venv() { # name, packages ...
  local at="$target/$1"
  shift
  [ -x "$at/bin/python" ] || python3 -m venv "$at"
  "$at/bin/pip" install --quiet "$@"
}

venv klv stanag4609==0.4.0 klvdata==0.0.3
venv wheel08 tstrans==0.8.0
venv wheel02 tstrans==0.2.0

mkdir -p "$target/jmisb"
for a in org.jmisb:jmisb-api:1.12.0 org.jmisb:jmisb-core-common:1.12.0 org.slf4j:slf4j-api:1.7.36; do
  mvn -q -B dependency:get -Dartifact="$a" -Dtransitive=false
  mvn -q -B dependency:copy -Dartifact="$a" -DoutputDirectory="$target/jmisb"
done
