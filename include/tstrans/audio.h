/* tstrans/audio.h: the codecs of telephony (G.711, L16, G.722, Opus), concealment
 * of lost frames, comfort noise. PCM is signed 16-bit little-endian.
 */
#ifndef TSTRANS_AUDIO_H
#define TSTRANS_AUDIO_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An encoder and a decoder of one stream. */
typedef uint64_t tst_audio_codec;

#define TST_AUDIO_ULAW (0) /* ITU-T G.711, 8000 Hz */
#define TST_AUDIO_ALAW (1)
#define TST_AUDIO_L16 (2)  /* RFC 3551 4.5.11 */
#define TST_AUDIO_G722 (3) /* ITU-T G.722, 64 kbit/s, 16000 Hz */
#define TST_AUDIO_OPUS (4) /* RFC 6716 */

/* tst_audio_codec_open makes a codec. Parameters, all for TST_AUDIO_OPUS:
 *   sample_rate  8000, 12000, 16000, 24000 or 48000 (default) Hz
 *   channels     1 (default) or 2
 *   frame_ms     5, 10, 20 (default), 40 or 60 ms
 *   dtx          1: next to nothing is sent in silence
 * Owned: tst_audio_codec_close. Any thread, any time. Since 1. */
tst_status tst_audio_codec_open(tst_audio_codec *out, uint32_t kind, tst_config config);

/* tst_audio_encode writes the payload of pcm into out (caller's, cap bytes) and
 * its length into *len. TST_E_BUFFER_TOO_SMALL where it does not fit: *len is
 * the needed room, and state has moved on. TST_E_INVALID_ARG for PCM the codec
 * does not take. One thread at a time per handle. Since 1. */
tst_status tst_audio_encode(uint8_t *out, size_t cap, size_t *len, tst_audio_codec codec, tst_cu8 *pcm, size_t pcm_len);

/* tst_audio_decode writes the PCM of a payload, as tst_audio_encode. */
tst_status tst_audio_decode(uint8_t *out, size_t cap, size_t *len, tst_audio_codec codec, tst_cu8 *payload, size_t n);

/* tst_audio_conceal writes what stands for lost samples (of a channel) by the
 * codec's own means; TST_E_NOT_SUPPORTED where it has none. Opus rounds to whole
 * frames, at least one. One thread at a time per handle. Since 1. */
tst_status tst_audio_conceal(uint8_t *out, size_t cap, size_t *len, tst_audio_codec codec, size_t samples);

/* tst_audio_codec_close accepts 0 and repeated calls. Any thread, any time. Since 1. */
tst_status tst_audio_codec_close(tst_audio_codec codec);

/* G.711 without a handle: law is TST_AUDIO_ULAW or TST_AUDIO_ALAW. Encoding
 * writes pcm_len / 2 bytes, decoding 2 * n; out has that room. Any thread, any
 * time. QUICK. Since 1. */
tst_status tst_g711_encode(uint8_t *out, tst_cu8 *pcm, size_t pcm_len, uint32_t law);
tst_status tst_g711_decode(uint8_t *out, tst_cu8 *payload, size_t n, uint32_t law);

/* Repeats the last frame, fading to silence. */
typedef uint64_t tst_concealer;

/* tst_concealer_open: sample_rate in Hz, fade_ms from the last frame to silence.
 * Owned: tst_concealer_close. Any thread, any time. Since 1. */
tst_status tst_concealer_open(tst_concealer *out, uint32_t sample_rate, uint32_t fade_ms);
/* tst_concealer_update takes a real frame; *frame_samples is its length. One
 * thread at a time per handle. QUICK. Since 1. */
tst_status tst_concealer_update(size_t *frame_samples, tst_concealer concealer, tst_cu8 *pcm, size_t n);
/* tst_concealer_conceal writes 2 * samples bytes; out has that room. samples is
 * at most 192000. One thread at a time per handle. QUICK. Since 1. */
tst_status tst_concealer_conceal(uint8_t *out, tst_concealer concealer, size_t samples);
/* Accepts 0 and repeated calls. Any thread, any time. Since 1. */
tst_status tst_concealer_close(tst_concealer concealer);

/* Comfort noise (RFC 3389); levels in -dBov, 0 loudest to 127 silence. */
typedef uint64_t tst_noise;

/* tst_noise_open: seed 0 takes an arbitrary one. Owned: tst_noise_close. Any
 * thread, any time. Since 1. */
tst_status tst_noise_open(tst_noise *out, int32_t level, uint64_t seed);
/* tst_noise_generate writes 2 * samples bytes; out has that room. samples is at
 * most 192000. One thread at a time per handle. Since 1. */
tst_status tst_noise_generate(uint8_t *out, tst_noise noise, size_t samples);
/* Accepts 0 and repeated calls. Any thread, any time. Since 1. */
tst_status tst_noise_close(tst_noise noise);
/* tst_noise_level measures PCM. Any thread, any time. QUICK. Since 1. */
int32_t tst_noise_level(tst_cu8 *pcm, size_t n);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_AUDIO_H */
