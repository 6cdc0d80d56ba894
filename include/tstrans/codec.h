/* tstrans/codec.h: headers of H.264, H.265, H.266, AV1, AAC and MPEG audio; the
 * units of an access unit; MISP time stamps.
 *
 * MODEL   Every function is pure: bytes in, numbers out, no handle. Any thread,
 *         any time. Inputs are the caller's, and only read during the call.
 * RBSP    The H.26x parameter set and slice functions take the bytes after the
 *         NAL unit header (1 byte for H.264, 2 for H.265 and H.266), emulation
 *         prevention bytes still in place: what tst_codec_split points to.
 * ERRORS  Bad input is a TST_E_CODEC_ status. The detail tells more: attributes
 *         offset_bits and needed_bits (counted in the bytes given), value,
 *         expected, found, needed, had, layer, profile_idc; and the field's name.
 */
#ifndef TSTRANS_CODEC_H
#define TSTRANS_CODEC_H

#include "tstrans/base.h"
#include "tstrans/mpegts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Beside TST_CODEC_H264 to TST_CODEC_AV1 of tstrans/mpegts.h: MPEG-2 video, for
 * tst_codec_misp_extract. */
#define TST_CODEC_MPEG2_VIDEO (5)

/* Chroma formats */
#define TST_CHROMA_MONOCHROME (0)
#define TST_CHROMA_420 (1)
#define TST_CHROMA_422 (2)
#define TST_CHROMA_444 (3)

/* ---- parameter sets -------------------------------------------------- *
 * Each is an array of int64_t. A number below is the kind of set, then the
 * indices of its fields, then how many there are; flags are 0 or 1.
 */

/* A sequence parameter set of H.264. */
#define TST_PS_H264_SPS (1)
#define TST_H264_SPS_ID (0)
#define TST_H264_SPS_PROFILE_IDC (1)
#define TST_H264_SPS_CONSTRAINT_FLAGS (2) /* constraint_set0_flag is 0x80 */
#define TST_H264_SPS_LEVEL_IDC (3) /* the level times 10 */
#define TST_H264_SPS_CHROMA (4) /* TST_CHROMA_ */
#define TST_H264_SPS_BIT_DEPTH_LUMA (5)
#define TST_H264_SPS_BIT_DEPTH_CHROMA (6)
#define TST_H264_SPS_CODED_WIDTH (7) /* luma samples before cropping */
#define TST_H264_SPS_CODED_HEIGHT (8)
#define TST_H264_SPS_WIDTH (9) /* luma samples after cropping */
#define TST_H264_SPS_HEIGHT (10)
#define TST_H264_SPS_CROP_LEFT (11) /* luma samples */
#define TST_H264_SPS_CROP_RIGHT (12)
#define TST_H264_SPS_CROP_TOP (13) /* luma rows */
#define TST_H264_SPS_CROP_BOTTOM (14)
#define TST_H264_SPS_HAS_RATE (15) /* 1 when the stream tells a frame rate */
#define TST_H264_SPS_RATE_NUM (16) /* frames ... */
#define TST_H264_SPS_RATE_DEN (17) /* ... in so many seconds */
#define TST_H264_SPS_HAS_COLOR (18) /* 1 when the stream describes how samples are shown */
#define TST_H264_SPS_PRIMARIES (19) /* code points of ITU-T H.273; 2 is unspecified */
#define TST_H264_SPS_TRANSFER (20)
#define TST_H264_SPS_MATRIX (21)
#define TST_H264_SPS_FULL_RANGE (22)
#define TST_H264_SPS_LOG2_MAX_FRAME_NUM_MINUS4 (23)
#define TST_H264_SPS_FRAME_MBS_ONLY (24)
#define TST_H264_SPS_FIXED_FRAME_RATE (25)
#define TST_H264_SPS_HAS_B_FRAMES (26) /* 0 when pictures are output in the order of decoding */
#define TST_H264_SPS_SEPARATE_COLOUR_PLANE (27)
#define TST_H264_SPS_SAR_WIDTH (28) /* sample aspect ratio, 0 when not told */
#define TST_H264_SPS_SAR_HEIGHT (29)
#define TST_H264_SPS_COUNT (30)

/* A picture parameter set of H.264, read as far as the entropy coding mode. */
#define TST_PS_H264_PPS (2)
#define TST_H264_PPS_ID (0)
#define TST_H264_PPS_SPS_ID (1)
#define TST_H264_PPS_CABAC (2) /* entropy_coding_mode_flag */
#define TST_H264_PPS_COUNT (3)

/* A video parameter set of H.265. */
#define TST_PS_H265_VPS (3)
#define TST_H265_VPS_ID (0)
#define TST_H265_VPS_MAX_LAYERS_MINUS1 (1)
#define TST_H265_VPS_MAX_SUB_LAYERS_MINUS1 (2)
#define TST_H265_VPS_TEMPORAL_ID_NESTING (3)
#define TST_H265_VPS_PROFILE_SPACE (4)
#define TST_H265_VPS_TIER (5)
#define TST_H265_VPS_PROFILE_IDC (6)
#define TST_H265_VPS_LEVEL_IDC (7)
#define TST_H265_VPS_COMPATIBILITY_FLAGS (8)
#define TST_H265_VPS_PROGRESSIVE_SOURCE (9)
#define TST_H265_VPS_INTERLACED_SOURCE (10)
#define TST_H265_VPS_NON_PACKED_CONSTRAINT (11)
#define TST_H265_VPS_FRAME_ONLY_CONSTRAINT (12)
#define TST_H265_VPS_COUNT (13)

/* A sequence parameter set of H.265. */
#define TST_PS_H265_SPS (4)
#define TST_H265_SPS_ID (0)
#define TST_H265_SPS_VPS_ID (1)
#define TST_H265_SPS_MAX_SUB_LAYERS_MINUS1 (2)
#define TST_H265_SPS_PROFILE_SPACE (3)
#define TST_H265_SPS_TIER (4) /* 1 is the high tier */
#define TST_H265_SPS_PROFILE_IDC (5)
#define TST_H265_SPS_LEVEL_IDC (6) /* the level times 30 */
#define TST_H265_SPS_COMPATIBILITY_FLAGS (7) /* flag 0 is 0x80000000 */
#define TST_H265_SPS_PROGRESSIVE_SOURCE (8)
#define TST_H265_SPS_INTERLACED_SOURCE (9)
#define TST_H265_SPS_NON_PACKED_CONSTRAINT (10)
#define TST_H265_SPS_FRAME_ONLY_CONSTRAINT (11)
#define TST_H265_SPS_CHROMA (12) /* TST_CHROMA_ */
#define TST_H265_SPS_BIT_DEPTH_LUMA (13)
#define TST_H265_SPS_BIT_DEPTH_CHROMA (14)
#define TST_H265_SPS_CODED_WIDTH (15) /* luma samples before cropping */
#define TST_H265_SPS_CODED_HEIGHT (16)
#define TST_H265_SPS_WIDTH (17) /* luma samples after cropping */
#define TST_H265_SPS_HEIGHT (18)
#define TST_H265_SPS_CROP_LEFT (19) /* luma samples */
#define TST_H265_SPS_CROP_RIGHT (20)
#define TST_H265_SPS_CROP_TOP (21) /* luma rows */
#define TST_H265_SPS_CROP_BOTTOM (22)
#define TST_H265_SPS_HAS_RATE (23) /* 1 when the stream tells a frame rate */
#define TST_H265_SPS_RATE_NUM (24) /* frames ... */
#define TST_H265_SPS_RATE_DEN (25) /* ... in so many seconds */
#define TST_H265_SPS_HAS_COLOR (26) /* 1 when the stream describes how samples are shown */
#define TST_H265_SPS_PRIMARIES (27) /* code points of ITU-T H.273; 2 is unspecified */
#define TST_H265_SPS_TRANSFER (28)
#define TST_H265_SPS_MATRIX (29)
#define TST_H265_SPS_FULL_RANGE (30)
#define TST_H265_SPS_LOG2_MAX_POC_LSB_MINUS4 (31)
#define TST_H265_SPS_SEPARATE_COLOUR_PLANE (32)
#define TST_H265_SPS_LOG2_CTB_SIZE (33)
#define TST_H265_SPS_SAR_WIDTH (34) /* sample aspect ratio, 0 when not told */
#define TST_H265_SPS_SAR_HEIGHT (35)
#define TST_H265_SPS_COUNT (36)

/* A picture parameter set of H.265, read as far as the ids. */
#define TST_PS_H265_PPS (5)
#define TST_H265_PPS_ID (0)
#define TST_H265_PPS_SPS_ID (1)
#define TST_H265_PPS_COUNT (2)

/* A video parameter set of H.266, read as far as these fields. */
#define TST_PS_H266_VPS (6)
#define TST_H266_VPS_ID (0)
#define TST_H266_VPS_MAX_LAYERS (1)
#define TST_H266_VPS_MAX_SUB_LAYERS (2)
#define TST_H266_VPS_COUNT (3)

/* A sequence parameter set of H.266; subpictures and explicit scaling lists are
 * TST_E_CODEC_UNSUPPORTED_PROFILE. */
#define TST_PS_H266_SPS (7)
#define TST_H266_SPS_ID (0)
#define TST_H266_SPS_VPS_ID (1)
#define TST_H266_SPS_PROFILE_IDC (2)
#define TST_H266_SPS_TIER (3) /* 1 is the high tier */
#define TST_H266_SPS_LEVEL_IDC (4) /* the level times 16, plus 3 a minor step */
#define TST_H266_SPS_CHROMA (5) /* TST_CHROMA_ */
#define TST_H266_SPS_BIT_DEPTH (6) /* luma and chroma */
#define TST_H266_SPS_CODED_WIDTH (7) /* luma samples before cropping */
#define TST_H266_SPS_CODED_HEIGHT (8)
#define TST_H266_SPS_WIDTH (9) /* luma samples after cropping */
#define TST_H266_SPS_HEIGHT (10)
#define TST_H266_SPS_CROP_LEFT (11) /* luma samples */
#define TST_H266_SPS_CROP_RIGHT (12)
#define TST_H266_SPS_CROP_TOP (13) /* luma rows */
#define TST_H266_SPS_CROP_BOTTOM (14)
#define TST_H266_SPS_HAS_RATE (15) /* 1 when the stream tells a frame rate */
#define TST_H266_SPS_RATE_NUM (16) /* frames ... */
#define TST_H266_SPS_RATE_DEN (17) /* ... in so many seconds */
#define TST_H266_SPS_HAS_COLOR (18) /* 1 when the stream describes how samples are shown */
#define TST_H266_SPS_PRIMARIES (19) /* code points of ITU-T H.273; 2 is unspecified */
#define TST_H266_SPS_TRANSFER (20)
#define TST_H266_SPS_MATRIX (21)
#define TST_H266_SPS_FULL_RANGE (22)
#define TST_H266_SPS_LOG2_MAX_POC_LSB_MINUS4 (23)
#define TST_H266_SPS_COUNT (24)

/* A picture parameter set of H.266, read as far as the ids. */
#define TST_PS_H266_PPS (8)
#define TST_H266_PPS_ID (0)
#define TST_H266_PPS_SPS_ID (1)
#define TST_H266_PPS_COUNT (2)

/* The payload of a sequence header OBU; colour is always described. */
#define TST_PS_AV1_SEQUENCE (9)
#define TST_AV1_SEQUENCE_PROFILE (0)
#define TST_AV1_SEQUENCE_LEVEL (1) /* seq_level_idx of operating point 0 */
#define TST_AV1_SEQUENCE_TIER (2)
#define TST_AV1_SEQUENCE_STILL_PICTURE (3)
#define TST_AV1_SEQUENCE_REDUCED (4) /* reduced_still_picture_header */
#define TST_AV1_SEQUENCE_WIDTH (5) /* of the largest frame */
#define TST_AV1_SEQUENCE_HEIGHT (6)
#define TST_AV1_SEQUENCE_BIT_DEPTH (7)
#define TST_AV1_SEQUENCE_CHROMA (8) /* TST_CHROMA_ */
#define TST_AV1_SEQUENCE_HAS_RATE (9) /* 1 when the stream tells a frame rate */
#define TST_AV1_SEQUENCE_RATE_NUM (10) /* frames ... */
#define TST_AV1_SEQUENCE_RATE_DEN (11) /* ... in so many seconds */
#define TST_AV1_SEQUENCE_PRIMARIES (12) /* code points of ITU-T H.273; 2 is unspecified */
#define TST_AV1_SEQUENCE_TRANSFER (13)
#define TST_AV1_SEQUENCE_MATRIX (14)
#define TST_AV1_SEQUENCE_FULL_RANGE (15)
#define TST_AV1_SEQUENCE_COUNT (16)

/* ---- slice and frame headers ----------------------------------------- */

/* A slice of H.264. */
#define TST_PS_H264_SLICE (10)
#define TST_H264_SLICE_FIRST (0) /* first_mb_in_slice is 0 */
#define TST_H264_SLICE_TYPE (1) /* 0 P, 1 B, 2 I, 3 SP, 4 SI */
#define TST_H264_SLICE_PPS_ID (2)
#define TST_H264_SLICE_IDR (3)
#define TST_H264_SLICE_FRAME_NUM (4) /* -1 without a SPS */
#define TST_H264_SLICE_COUNT (5)

/* A slice segment of H.265. Without a PPS the stream is taken for one that has
 * neither dependent segments nor extra header bits. */
#define TST_PS_H265_SLICE (11)
#define TST_H265_SLICE_FIRST (0) /* first_slice_segment_in_pic_flag */
#define TST_H265_SLICE_TYPE (1) /* 0 B, 1 P, 2 I, 3 not told */
#define TST_H265_SLICE_PPS_ID (2)
#define TST_H265_SLICE_IDR (3)
#define TST_H265_SLICE_POC_LSB (4) /* -1 when not told */
#define TST_H265_SLICE_COUNT (5)

/* A slice of H.266. */
#define TST_PS_H266_SLICE (12)
#define TST_H266_SLICE_FIRST (0) /* the slice header holds the picture header */
#define TST_H266_SLICE_TYPE (1) /* 0 B, 1 P, 2 I, 3 not told */
#define TST_H266_SLICE_PPS_ID (2)
#define TST_H266_SLICE_IDR (3)
#define TST_H266_SLICE_POC_LSB (4) /* -1 when not told */
#define TST_H266_SLICE_COUNT (5)

/* The payload of a frame or frame header OBU; its sequence header is needed. */
#define TST_PS_AV1_FRAME (13)
#define TST_AV1_FRAME_SHOW_EXISTING (0)
#define TST_AV1_FRAME_TYPE (1) /* 0 key, 1 inter, 2 intra only, 3 switch */
#define TST_AV1_FRAME_SHOW (2)
#define TST_AV1_FRAME_COUNT (3)

/* The most fields an array has. */
#define TST_PS_FIELDS_MAX (48)

/* Reads a parameter set or AV1 sequence header of the kind ps into fields, which
 * is the caller's and has room for cap numbers. QUICK. Since 1. */
tst_status tst_codec_parse(int64_t *fields, size_t cap, int32_t ps, tst_cu8 *rbsp, size_t n);

/* Reads the head of a slice or frame header. nal_type is that of the NAL unit (0
 * for AV1). sps are the fields of its sequence parameter set as tst_codec_parse
 * gave them, NULL when it is not known (only AV1 cannot do without). QUICK.
 * Since 1. */
tst_status tst_codec_parse_slice(int64_t *fields, size_t cap, int32_t ps, uint32_t nal_type, tst_ci64 *sps, size_t sps_n,
                                 tst_cu8 *rbsp, size_t n);

/* ---- units ------------------------------------------------------------- */

/* Findings in tst_unit.flags, in the order in which they are found */
#define TST_UNIT_FORBIDDEN (1)      /* the forbidden bit of the header is set */
#define TST_UNIT_TEMPORAL_ZERO (2)  /* nuh_temporal_id_plus1 is 0 */
#define TST_UNIT_RESERVED (4)       /* a reserved bit of the header is set */
#define TST_UNIT_EXT_RESERVED (8)   /* reserved bits of the OBU extension are set */
#define TST_UNIT_LAYER_RANGE (8)    /* H.266: nuh_layer_id is above 55 */
#define TST_UNIT_NO_SIZE (16)       /* the OBU has no size field */
#define TST_UNIT_TILE_LIST (32)     /* a tile list OBU, forbidden in MPEG-2 TS */
/* Not findings */
#define TST_UNIT_HAS_EXTENSION (64) /* the OBU has an extension header */
#define TST_UNIT_DROPPED (128)      /* no unit, only its findings: leave it out */

/* A NAL unit or OBU. */
typedef struct tst_unit {
	uint64_t offset; /* where the payload, behind the header, starts */
	uint64_t length; /* bytes of the payload */
	uint8_t type;    /* nal_unit_type or obu_type */
	uint8_t a;       /* nal_ref_idc (H.264), nuh_layer_id, or temporal_id (AV1) */
	uint8_t b;       /* nuh_temporal_id_plus1, or spatial_id (AV1); 0 for H.264 */
	uint8_t flags;   /* TST_UNIT_ */
	uint32_t reserved;
} tst_unit;

/* What tst_codec_split tells beside the units. */
typedef struct tst_split_info {
	uint64_t count;       /* units found; when more than cap, call again with room for all */
	uint64_t arena_bytes; /* bytes written to the arena */
	uint32_t in_arena;    /* 1: offsets lead into the arena, 0: into the input */
	uint32_t unframed;    /* 1: AV1 without the start code its carriage asks for, read as raw OBUs */
} tst_split_info;

/* Finds the units of an access unit: Annex B for TST_CODEC_H264, _H265, _H266;
 * for TST_CODEC_AV1 as carriage (TST_AV1_) tells. With TST_AV1_MPEG2_TS_BINDING
 * the payloads, without emulation prevention, go to arena, which needs room for
 * n bytes (else TST_E_BUFFER_TOO_SMALL); otherwise it may be NULL. units, info
 * and arena are the caller's. Since 1. */
tst_status tst_codec_split(tst_unit *units, size_t cap, tst_split_info *info, uint8_t *arena, size_t arena_cap,
                           int32_t codec, int32_t carriage, tst_cu8 *data, size_t n);

/* Tells whether an access unit (AV1: of raw OBUs) starts with a picture at which
 * decoding can begin: 1, 0, or a negative status. Since 1. */
tst_status tst_codec_is_random_access(int32_t codec, tst_cu8 *data, size_t n);

/* ---- audio ------------------------------------------------------------- */

/* An ADTS frame. */
typedef struct tst_adts_frame {
	uint64_t offset;           /* of its header in the input */
	uint32_t sample_rate_hz;
	uint16_t length;           /* bytes, header included */
	uint8_t header_length;     /* 7, or 9 with a CRC */
	uint8_t profile;           /* 0 main, 1 LC, 2 SSR, 3 LTP */
	uint8_t channel_config;    /* 0 when a program config element tells */
	uint8_t blocks;            /* raw data blocks of 1,024 samples, 1 to 4 */
	uint8_t mpeg2;             /* 1: MPEG-2 AAC, 0: MPEG-4 */
	uint8_t reserved[5];
} tst_adts_frame;

/* A frame of MPEG audio. */
typedef struct tst_mpeg_audio_frame {
	uint64_t offset;           /* of its header in the input */
	uint32_t sample_rate_hz;
	uint16_t length;           /* bytes, header included */
	uint16_t bitrate_kbps;
	uint16_t samples;          /* of each channel */
	uint8_t version;           /* 0 MPEG-1, 1 MPEG-2, 2 MPEG-2.5 */
	uint8_t layer;             /* 0 I, 1 II, 2 III */
	uint8_t mode;              /* 0 stereo, 1 joint stereo, 2 dual channel, 3 mono */
	uint8_t has_crc;
	uint8_t reserved[2];
} tst_mpeg_audio_frame;

/* Finds the frames of a buffer. count is set to how many there are; when more
 * than cap, call again with room for all. With resync 0 the buffer must hold
 * whole frames and nothing else, and the first other byte is the error; with 1
 * other bytes and a frame cut at the end are passed over. Since 1. */
tst_status tst_codec_split_adts(tst_adts_frame *frames, size_t cap, uint64_t *count, int32_t resync, tst_cu8 *data, size_t n);
tst_status tst_codec_split_mpeg_audio(tst_mpeg_audio_frame *frames, size_t cap, uint64_t *count, int32_t resync, tst_cu8 *data,
                                      size_t n);

/* What tst_codec_aac_framing tells */
#define TST_AAC_UNKNOWN (0)
#define TST_AAC_ADTS (1)
#define TST_AAC_LOAS (2) /* LATM behind the sync layer LOAS */

/* Tells how AAC is framed, by the sync words at the start of data and where its
 * first frame ends: TST_AAC_ or a negative status. QUICK. Since 1. */
tst_status tst_codec_aac_framing(tst_cu8 *data, size_t n);

/* ---- MISP time (MISB ST 0603, ST 0604) ---------------------------------- */

/* tst_misp_time.kind */
#define TST_MISP_NONE (0)
#define TST_MISP_MICRO (1)
#define TST_MISP_NANO (2)

/* A time stamp: microseconds or nanoseconds of MISP time since 1970. */
typedef struct tst_misp_time {
	uint64_t value;
	uint32_t kind;   /* TST_MISP_ */
	uint32_t status; /* the Time Status byte of ST 0603 */
} tst_misp_time;

/* Finds the first time stamp of an access unit of H.264, H.265 or MPEG-2 video;
 * kind is TST_MISP_NONE when there is none. A broken stamp is
 * TST_E_INVALID_ARG. Since 1. */
tst_status tst_codec_misp_extract(tst_misp_time *time, int32_t codec, tst_cu8 *data, size_t n);

/* Copies an access unit of H.264 or H.265 to out with a SEI NAL unit of the time
 * in front of its first slice. out_n is set to the bytes written; out needs room
 * for n + 64 (else TST_E_BUFFER_TOO_SMALL). TST_E_MUX_MISP_TIME where the codec
 * does not carry such a time, or has no slice there. Since 1. */
tst_status tst_codec_misp_insert(uint8_t *out, size_t cap, size_t *out_n, int32_t codec, uint64_t value, uint32_t kind,
                                 uint32_t status, tst_cu8 *data, size_t n);

#ifdef __cplusplus
}
#endif

#endif
