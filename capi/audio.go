package main

/*
#include "detail.h"
*/
import "C"

import (
	"github.com/tstrans/tstrans/core/audio"
	"github.com/tstrans/tstrans/core/audio/opus"
	"github.com/tstrans/tstrans/core/tsterr"
)

// audioCodec is what a handle of a codec holds.
type audioCodec struct {
	audio.Codec
	buf []byte
}

// openCodec makes a codec of a kind with the parameters of r.
func openCodec(kind C.uint32_t, r *configReader) (audio.Codec, error) {
	switch kind {
	case C.TST_AUDIO_ULAW:
		return audio.ULaw{}, r.done()
	case C.TST_AUDIO_ALAW:
		return audio.ALaw{}, r.done()
	case C.TST_AUDIO_L16:
		return audio.L16{}, r.done()
	case C.TST_AUDIO_G722:
		return audio.NewG722(), r.done()
	case C.TST_AUDIO_OPUS:
		var cfg opus.Config
		integer(r, "sample_rate", &cfg.SampleRate, 8000, 48000, "Hz")
		integer(r, "channels", &cfg.Channels, 1, 2, "")
		integer(r, "frame_ms", &cfg.FrameMS, 1, 120, "ms")
		r.boolean("dtx", &cfg.DTX)
		if err := r.done(); err != nil {
			return nil, err
		}
		return opus.New(cfg)
	}
	return nil, tsterr.New(tsterr.InvalidArg, "no audio codec %d", uint32(kind))
}

//export tst_audio_codec_open
func tst_audio_codec_open(out *C.tst_audio_codec, kind C.uint32_t, id C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	c, err := openCodec(kind, readConfig(id, tsterr.InvalidArg))
	if err != nil {
		return status(err)
	}
	return status(hand(out, &audioCodec{Codec: c}))
}

// give copies a result into the caller's buffer and tells its length.
func give(out *C.uint8_t, capacity C.size_t, n *C.size_t, b []byte) error {
	if n == nil {
		return tsterr.New(tsterr.InvalidArg, "len is NULL")
	}
	*n = C.size_t(len(b))
	room, err := output(out, capacity)
	if err != nil {
		return err
	}
	if len(room) < len(b) {
		return tsterr.New(tsterr.BufferTooSmall, "%d bytes needed, %d given", len(b), len(room))
	}
	copy(room, b)
	return nil
}

//export tst_audio_encode
func tst_audio_encode(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_audio_codec, pcm *C.tst_cu8, size C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(pcm, size)
	if err != nil {
		return status(err)
	}
	c, e, err := enter[*audioCodec](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if c.buf, err = c.Encode(c.buf[:0], b); err != nil {
		return status(err)
	}
	return status(give(out, capacity, n, c.buf))
}

//export tst_audio_decode
func tst_audio_decode(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_audio_codec, payload *C.tst_cu8, size C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(payload, size)
	if err != nil {
		return status(err)
	}
	c, e, err := enter[*audioCodec](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	if c.buf, err = c.Decode(c.buf[:0], b); err != nil {
		return status(err)
	}
	return status(give(out, capacity, n, c.buf))
}

//export tst_audio_conceal
func tst_audio_conceal(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_audio_codec, samples C.size_t) (st C.tst_status) {
	defer guard(&st)
	if samples > audio.MaxSamples {
		return fail(tsterr.InvalidArg, "%d samples: at most %d", uint64(samples), audio.MaxSamples)
	}
	c, e, err := enter[*audioCodec](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	b, ok, err := c.Conceal(c.buf[:0], int(samples))
	if err != nil {
		return status(err)
	}
	if !ok {
		return C.TST_E_NOT_SUPPORTED
	}
	c.buf = b
	return status(give(out, capacity, n, b))
}

//export tst_audio_codec_close
func tst_audio_codec_close(id C.tst_audio_codec) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*audioCodec](id))
}

// law gives one of the two tables' codecs.
func law(which C.uint32_t) audio.Codec {
	if which == C.TST_AUDIO_ALAW {
		return audio.ALaw{}
	}
	return audio.ULaw{}
}

//export tst_g711_encode
func tst_g711_encode(out *C.uint8_t, pcm *C.tst_cu8, n C.size_t, which C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(pcm, n)
	if err != nil {
		return status(err)
	}
	room, err := output(out, n/2)
	if err != nil {
		return status(err)
	}
	_, err = law(which).Encode(room[:0:len(room)], b)
	return status(err)
}

//export tst_g711_decode
func tst_g711_decode(out *C.uint8_t, payload *C.tst_cu8, n C.size_t, which C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(payload, n)
	if err != nil {
		return status(err)
	}
	room, err := output(out, 2*n)
	if err != nil {
		return status(err)
	}
	_, err = law(which).Decode(room[:0:len(room)], b)
	return status(err)
}

//export tst_concealer_open
func tst_concealer_open(out *C.tst_concealer, rate, fade C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if rate > 1<<20 || fade > 1<<20 {
		return fail(tsterr.InvalidArg, "%d Hz, fade of %d ms", uint32(rate), uint32(fade))
	}
	return add(out, audio.NewConcealer(int(rate), int(fade)))
}

//export tst_concealer_update
func tst_concealer_update(samples *C.size_t, id C.tst_concealer, pcm *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	b, err := input(pcm, n)
	if err != nil {
		return status(err)
	}
	c, e, err := enter[*audio.Concealer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	c.Update(b)
	if samples != nil {
		*samples = C.size_t(c.FrameSamples())
	}
	return C.TST_OK
}

// pcmRoom views room for samples.
func pcmRoom(out *C.uint8_t, samples C.size_t) ([]byte, error) {
	if samples > audio.MaxSamples {
		return nil, tsterr.New(tsterr.InvalidArg, "%d samples: at most %d", uint64(samples), audio.MaxSamples)
	}
	return output(out, 2*samples)
}

//export tst_concealer_conceal
func tst_concealer_conceal(out *C.uint8_t, id C.tst_concealer, samples C.size_t) (st C.tst_status) {
	defer guard(&st)
	room, err := pcmRoom(out, samples)
	if err != nil {
		return status(err)
	}
	c, e, err := enter[*audio.Concealer](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	c.Conceal(room[:0:len(room)], int(samples))
	return C.TST_OK
}

//export tst_concealer_close
func tst_concealer_close(id C.tst_concealer) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*audio.Concealer](id))
}

//export tst_noise_open
func tst_noise_open(out *C.tst_noise, level C.int32_t, seed C.uint64_t) (st C.tst_status) {
	defer guard(&st)
	return add(out, audio.NewNoise(int(level), uint64(seed)))
}

//export tst_noise_generate
func tst_noise_generate(out *C.uint8_t, id C.tst_noise, samples C.size_t) (st C.tst_status) {
	defer guard(&st)
	room, err := pcmRoom(out, samples)
	if err != nil {
		return status(err)
	}
	c, e, err := enter[*audio.Noise](id)
	if err != nil {
		return status(err)
	}
	defer e.leave()
	c.Generate(room[:0:len(room)], int(samples))
	return C.TST_OK
}

//export tst_noise_close
func tst_noise_close(id C.tst_noise) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*audio.Noise](id))
}

//export tst_noise_level
func tst_noise_level(pcm *C.tst_cu8, n C.size_t) C.int32_t {
	b, err := input(pcm, n)
	if err != nil {
		return audio.NoiseSilence
	}
	return C.int32_t(audio.NoiseLevel(b))
}
