package hls

import "github.com/tstrans/tstrans/core/mpegts"

func newMP4Writer(_ *Publisher, _ *mpegts.MuxProgram) (writer, error) {
	return nil, configError("container", "fragmented MP4 is not supported")
}
