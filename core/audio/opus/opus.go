// Package opus is Opus over libopus (RFC 6716): encoding for speech, decoding, and the decoder's own concealment.
package opus

// libopus is opened at first use rather than linked: Debian's static archive of it is not position-independent, so
// it travels beside the shared library of this module, and a program without Opus need not have it.

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <opus/opus.h>

static struct {
	__typeof__(opus_encoder_create) *encoder_create;
	__typeof__(opus_encoder_destroy) *encoder_destroy;
	__typeof__(opus_encoder_ctl) *encoder_ctl;
	__typeof__(opus_encode) *encode;
	__typeof__(opus_decoder_create) *decoder_create;
	__typeof__(opus_decoder_destroy) *decoder_destroy;
	__typeof__(opus_decode) *decode;
	__typeof__(opus_strerror) *strerror;
} op;

// op_from opens the library in a folder, NULL where it is not there.
static void *op_from(const char *dir, size_t n, const char *tail) {
	char path[4300];
	if (dir == NULL || n + strlen(tail) >= sizeof path) return NULL;
	memcpy(path, dir, n);
	strcpy(path + n, tail);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

// op_load opens libopus: the copy beside this library first, then that of TSTRANS_LIBS, then the system's. It
// returns NULL, or why it failed.
static const char *op_load(void) {
	Dl_info me;
	void *lib = NULL;
	if (dladdr((void *)op_load, &me) && me.dli_fname != NULL) {
		const char *slash = strrchr(me.dli_fname, '/');
		if (slash != NULL) lib = op_from(me.dli_fname, slash - me.dli_fname, "/_libs/libopus.so.0");
	}
	const char *also = getenv("TSTRANS_LIBS");
	if (lib == NULL && also != NULL) lib = op_from(also, strlen(also), "/libopus.so.0");
	if (lib == NULL) lib = dlopen("libopus.so.0", RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) return dlerror();
	op.encoder_create = dlsym(lib, "opus_encoder_create");
	op.encoder_destroy = dlsym(lib, "opus_encoder_destroy");
	op.encoder_ctl = dlsym(lib, "opus_encoder_ctl");
	op.encode = dlsym(lib, "opus_encode");
	op.decoder_create = dlsym(lib, "opus_decoder_create");
	op.decoder_destroy = dlsym(lib, "opus_decoder_destroy");
	op.decode = dlsym(lib, "opus_decode");
	op.strerror = dlsym(lib, "opus_strerror");
	return op.encoder_create && op.encoder_destroy && op.encoder_ctl && op.encode && op.decoder_create &&
		op.decoder_destroy && op.decode && op.strerror ? NULL : "libopus is too old: a function is missing";
}

static OpusEncoder *op_encoder(int rate, int channels, int *code) {
	return op.encoder_create(rate, channels, OPUS_APPLICATION_VOIP, code);
}
static OpusDecoder *op_decoder(int rate, int channels, int *code) { return op.decoder_create(rate, channels, code); }
static void op_free(OpusEncoder *e, OpusDecoder *d) {
	if (e) op.encoder_destroy(e);
	if (d) op.decoder_destroy(d);
}
static void op_dtx(OpusEncoder *e) { op.encoder_ctl(e, OPUS_SET_DTX(1)); }
static int op_encode(OpusEncoder *e, void *pcm, int samples, void *out, int cap) {
	return op.encode(e, pcm, samples, out, cap);
}
static int op_decode(OpusDecoder *d, void *data, int n, void *pcm, int samples) {
	return op.decode(d, data, n, pcm, samples, 0);
}
static const char *op_text(int code) { return op.strerror(code); }
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/tstrans/tstrans/core/audio"
	"github.com/tstrans/tstrans/core/tsterr"
)

// maxPacket is room for any packet that libopus makes for one frame of at most 120 ms (RFC 6716 §3.4).
const maxPacket = 4000

// Config says what a Codec is for; the zero value is 48,000 Hz, mono, 20 ms.
type Config struct {
	SampleRate int  // in Hz: 8000, 12000, 16000, 24000 or 48000. It defaults to 48000.
	Channels   int  // 1 or 2. It defaults to 1.
	FrameMS    int  // length of a frame in ms: 5, 10, 20, 40 or 60. It defaults to 20.
	DTX        bool // sends next to nothing in silence
}

// Codec is an encoder and a decoder of one stream.
type Codec struct {
	cfg Config
	enc *C.OpusEncoder
	dec *C.OpusDecoder
}

var _ audio.Codec = (*Codec)(nil)

func failed(what string, code C.int) error {
	return tsterr.New(tsterr.InvalidArg, "opus %s: %s", what, C.GoString(C.op_text(code)))
}

// load opens libopus once.
var load = sync.OnceValue(func() error {
	if why := C.op_load(); why != nil {
		return tsterr.New(tsterr.NotSupported, "libopus cannot be opened: %s", C.GoString(why))
	}
	return nil
})

// New makes a codec. Close frees it; one that is dropped is freed by the collector.
func New(cfg Config) (*Codec, error) {
	if cfg.SampleRate == 0 {
		cfg.SampleRate = 48000
	}
	if cfg.Channels == 0 {
		cfg.Channels = 1
	}
	if cfg.FrameMS == 0 {
		cfg.FrameMS = 20
	}
	if cfg.FrameMS < 0 || cfg.FrameMS > 120 {
		return nil, tsterr.At(tsterr.InvalidArg, "frame_ms", tsterr.NoOffset, "frame_ms: %d is outside 1 to 120 ms", cfg.FrameMS)
	}
	if err := load(); err != nil {
		return nil, err
	}
	c := &Codec{cfg: cfg}
	var code C.int
	c.enc = C.op_encoder(C.int(cfg.SampleRate), C.int(cfg.Channels), &code)
	if code != C.OPUS_OK {
		return nil, failed("encoder", code)
	}
	c.dec = C.op_decoder(C.int(cfg.SampleRate), C.int(cfg.Channels), &code)
	if code != C.OPUS_OK {
		C.op_free(c.enc, nil)
		return nil, failed("decoder", code)
	}
	if cfg.DTX {
		C.op_dtx(c.enc)
	}
	runtime.SetFinalizer(c, func(c *Codec) { _ = c.Close() })
	return c, nil
}

// Samples is the length of a frame in samples of one channel.
func (c *Codec) Samples() int { return c.cfg.SampleRate * c.cfg.FrameMS / 1000 }

// Close frees the native parts.
func (c *Codec) Close() error {
	if c.enc != nil {
		C.op_free(c.enc, c.dec)
		c.enc, c.dec = nil, nil
		runtime.SetFinalizer(c, nil)
	}
	return nil
}

func closed() error { return tsterr.New(tsterr.Closed, "the codec is closed") }

// Encode appends the packet of one frame. A frame cut short is filled with silence, a longer one is cut.
func (c *Codec) Encode(dst, pcm []byte) ([]byte, error) {
	if c.enc == nil {
		return dst, closed()
	}
	whole := 2 * c.cfg.Channels * c.Samples()
	frame := make([]byte, whole)
	copy(frame, pcm)
	at := len(dst)
	dst = append(dst, make([]byte, maxPacket)...)
	n := C.op_encode(c.enc, unsafe.Pointer(&frame[0]), C.int(c.Samples()), unsafe.Pointer(&dst[at]), maxPacket)
	if n < 0 {
		return dst[:at], failed("encode", n)
	}
	return dst[:at+int(n)], nil
}

// Decode appends the PCM of a packet; an empty packet is a lost one.
func (c *Codec) Decode(dst, payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return c.decode(dst, nil, c.Samples())
	}
	return c.decode(dst, payload, c.cfg.SampleRate*120/1000)
}

// Conceal appends the decoder's own idea of lost samples, in whole frames, at least one.
func (c *Codec) Conceal(dst []byte, samples int) ([]byte, bool, error) {
	frames := max(1, (min(samples, audio.MaxSamples)+c.Samples()/2)/c.Samples())
	var err error
	for range frames {
		if dst, err = c.decode(dst, nil, c.Samples()); err != nil {
			return dst, true, err
		}
	}
	return dst, true, nil
}

func (c *Codec) decode(dst, payload []byte, samples int) ([]byte, error) {
	if c.dec == nil {
		return dst, closed()
	}
	at := len(dst)
	dst = append(dst, make([]byte, 2*c.cfg.Channels*samples)...)
	var p unsafe.Pointer
	if len(payload) > 0 {
		p = unsafe.Pointer(&payload[0])
	}
	n := C.op_decode(c.dec, p, C.int(len(payload)), unsafe.Pointer(&dst[at]), C.int(samples))
	if n < 0 {
		return dst[:at], failed("decode", n)
	}
	return dst[:at+2*c.cfg.Channels*int(n)], nil
}
