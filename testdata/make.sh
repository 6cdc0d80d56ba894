#!/usr/bin/env bash
# Make the captures of this folder with muxers that are not ours: FFmpeg's and GStreamer's.
#   usage: testdata/make.sh          (needs what `make deps-test` installs)
# The files are committed; this script says where they come from.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ff() { ffmpeg -hide_banner -loglevel error -y -fflags +bitexact "$@"; }
exact=(-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1)

seconds=8
python3 "$here/make_flight.py" "$work" $((seconds * 5))

# Pictures with a frame counter and a tone, elementary streams only.
source=(-f lavfi -i "testsrc2=size=320x180:rate=15" -f lavfi -i "sine=frequency=440:sample_rate=48000" -t $seconds)
ff "${source[@]}" -map 0:v -map 1:a "${exact[@]}" -c:v libx264 -preset slow -crf 34 -threads 1 -g 30 -bf 2 \
  -c:a aac -b:a 32k -f mpegts "$work/av.ts"

# GStreamer's mpegtsmux joins pictures and KLV: asynchronous metadata, time stamped.
gst-launch-1.0 -q mpegtsmux name=mux alignment=7 ! filesink location="$work/gst_klv.ts" \
  filesrc location="$work/av.ts" ! tsdemux name=d \
  d. ! queue ! h264parse ! mux. \
  multifilesrc location="$work/klv_%04d.bin" caps="meta/x-klv,parsed=true,framerate=5/1" ! queue ! mux.

# demo.ts: H.264, AAC and asynchronous KLV, all written by FFmpeg's muxer.
ff -i "$work/av.ts" -i "$work/gst_klv.ts" -map 0:v -map 0:a -map 1:d -c copy "${exact[@]}" -f mpegts "$here/demo.ts"

# gst_klv.ts: GStreamer's muxing of H.264 and KLV.
cp "$work/gst_klv.ts" "$here/gst_klv.ts"

# gst_mixed.ts: H.265, AC-3 and Opus from GStreamer's muxer.
ff -f lavfi -i "testsrc2=size=160x90:rate=10" -t 2 -c:v libx265 -x265-params log-level=none:pools=1:frame-threads=1 -preset fast -crf 38 -f hevc "$work/v.h265"
ff -f lavfi -i "sine=frequency=330:sample_rate=48000" -t 2 -c:a ac3 -b:a 64k "$work/a.ac3"
gst-launch-1.0 -q mpegtsmux name=mux ! filesink location="$here/gst_mixed.ts" \
  filesrc location="$work/v.h265" ! h265parse ! "video/x-h265,framerate=10/1" ! mux. \
  filesrc location="$work/a.ac3" ! ac3parse ! mux. \
  audiotestsrc num-buffers=80 ! audio/x-raw,rate=48000 ! audioconvert ! opusenc ! mux.

# two_programs.ts: two programs, one with MPEG audio, one with AAC in LATM.
ff -f lavfi -i "testsrc2=size=160x90:rate=10" -f lavfi -i "sine=frequency=220:sample_rate=48000" -t 2 \
  -map 0:v -map 1:a -map 0:v -map 1:a "${exact[@]}" -threads 1 -preset fast -crf 38 \
  -c:v:0 libx264 -c:v:1 libx265 -x265-params log-level=none:pools=1:frame-threads=1 \
  -c:a:0 mp2 -b:a:0 64k -c:a:1 aac -b:a:1 32k -mpegts_flags +latm \
  -program program_num=1:title=one:st=0:st=1 -program program_num=2:title=two:st=2:st=3 -f mpegts "$here/two_programs.ts"

# packets192.m2ts: packets of 192 bytes.
ff -t 2 -i "$here/demo.ts" -map 0:v -map 0:a -c copy "${exact[@]}" -mpegts_m2ts_mode 1 -f mpegts "$here/packets192.m2ts"

ls -l "$here"
