#!/usr/bin/env bash
# usage: run.sh PYTHON PEER_PYTHON: the Go benchmarks, then the Python cases beside the peer, interleaved.
# The peer is any interpreter with another `tstrans` installed; without one, ours runs against itself.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
py=$(realpath -s "$1"); peer=$2
echo "== Go: the core alone"
go test -run '^$' -bench . -benchtime 1s ./core/...
inputs=$root/build/cache/bench
PYTHONPATH=$root/python "$py" build/bench/inputs.py "$inputs"
if [ -x "$peer" ]; then
  echo "== Python: A is the peer, B is this package"
else
  echo "== Python: no peer at $peer (`make peers` installs one)"
  peer=$py
fi
PYTHONPATH=$root/python "$py" build/bench/compare.py "$peer" "$py" "$inputs"
echo "== RTSP: the server's CPU a client"
PYTHONPATH=$root/python "$py" build/bench/rtsp.py "$peer" "$py" --clients 1,50
rtc=$root/build/interop/env/aiortc/bin/python
if [ -x "$rtc" ]; then
  echo "== WebRTC: a sender's CPU a viewer, beside aiortc"
  PYTHONPATH=$root/python "$py" build/bench/webrtc.py "$rtc" "$py"
fi
