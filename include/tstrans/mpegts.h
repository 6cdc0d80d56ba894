/* tstrans/mpegts.h: reading transport streams: bytes, files or descriptors in,
 * batches of event records out.
 *
 * MODEL   A demuxer is fed (tst_demuxer_feed, _flush) or reads by itself
 *         (tst_demuxer_open_path, _open_fd). Either way the events leave
 *         through tst_demuxer_read: fixed records of 64 bytes, plus one arena of
 *         bytes to which the records point. Native byte order.
 * BYTES   Payloads of up to TST_PAYLOAD_INLINE_MAX bytes, issue texts and program
 *         maps are in the arena of the same read. Larger payloads (flag
 *         TST_F_LAZY) stay in the chunk that the read hands out and are copied
 *         by tst_chunk_gather, when asked for.
 * CHUNKS  A read returns events of one chunk at most, and its handle only when a
 *         record of that read is lazy, else 0. Every handle returned is owned by
 *         itself (two reads of one chunk give two handles) and keeps at most one
 *         buffer of input alive (1 MiB, plus the payloads that began earlier)
 *         until tst_chunk_close.
 * BOUNDS  Memory: one input buffer, the caps of the configuration, and the events
 *         not read yet. A reading demuxer holds one buffer of events at most; a
 *         fed one everything since the last read.
 */
#ifndef TSTRANS_MPEGTS_H
#define TSTRANS_MPEGTS_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A demuxer. */
typedef uint64_t tst_demuxer;

/* A chunk of input that lazy payloads point into. */
typedef uint64_t tst_chunk;

/* ---- numbers in records: pinned ------------------------------------- */

/* tst_record.type */
#define TST_EV_PROGRAM_MAP (1)
#define TST_EV_VIDEO (2)
#define TST_EV_AUDIO (3)
#define TST_EV_SUBTITLE (4)
#define TST_EV_KLV (5)
#define TST_EV_UNKNOWN_SAMPLE (6)
#define TST_EV_DISCONTINUITY (7)
#define TST_EV_NON_CONFORMANT (8)
#define TST_EV_RECONNECT_DISCONTINUITY (9) /* from managed transports only */

/* tst_record.flags */
#define TST_F_LAZY (1)            /* payload is in the chunk, not in the arena */
#define TST_F_HAS_PTS (2)         /* the PES carried a PTS; without it pts_90k is 0 */
#define TST_F_HAS_DTS (4)         /* dts_90k is valid */
#define TST_F_RANDOM_ACCESS (8)   /* random_access_indicator of the first packet */
#define TST_F_WAS_REASSEMBLED (16) /* KLV joined from several AU cells */
#define TST_F_ALIGNED (32)        /* data_alignment_indicator of the PES */
#define TST_F_HELD (64)           /* began before the PMT of its stream was known */

/* tst_record.stream_kind and tst_program_stream.kind */
#define TST_KIND_UNKNOWN (0)
#define TST_KIND_VIDEO (1)
#define TST_KIND_AUDIO (2)
#define TST_KIND_SUBTITLE (3)
#define TST_KIND_KLV_SYNC (4)
#define TST_KIND_KLV_ASYNC (5)

/* tst_record.codec and tst_program_stream.codec */
#define TST_CODEC_NONE (0)
#define TST_CODEC_H264 (1)
#define TST_CODEC_H265 (2)
#define TST_CODEC_H266 (3)
#define TST_CODEC_AV1 (4)
#define TST_CODEC_MP2 (16)
#define TST_CODEC_AAC (17)
#define TST_CODEC_AAC_LATM (18)
#define TST_CODEC_AC3 (19)
#define TST_CODEC_DVB_SUBTITLING (32)
#define TST_CODEC_DVB_TELETEXT (33)
#define TST_CODEC_CEA708_STANDALONE (34)
#define TST_CODEC_WEBVTT_IN_TS (35)

/* tst_record.detail of TST_EV_KLV */
#define TST_METADATA_UNKNOWN (0)
#define TST_METADATA_KLV_SYNC_AU_CELL (1)
#define TST_METADATA_KLV_ASYNC (2)

/* tst_record.detail of TST_EV_VIDEO: the configured carriage of AV1, else
 * TST_AV1_NONE */
#define TST_AV1_MPEG2_TS_BINDING (0)
#define TST_AV1_INTEROP_RAW_OBU (1)
#define TST_AV1_NONE (255)

/* tst_record.detail of TST_EV_DISCONTINUITY */
#define TST_DISC_CONTINUITY_JUMP (1)
#define TST_DISC_ADAPTATION_FIELD_FLAG (2)
#define TST_DISC_PES_OVERSIZE (3)
#define TST_DISC_PES_TOTAL_OVERSIZE (4)

/* tst_record.detail of TST_EV_NON_CONFORMANT */
#define TST_NC_PCR_ANOMALY (1)
#define TST_NC_PSI_CHECKSUM_MISMATCH (2)
#define TST_NC_MALFORMED_PES (3)
#define TST_NC_TRANSPORT_ERROR_PACKET (4)
#define TST_NC_STREAM_TYPE_MISMATCH (5)
#define TST_NC_PID_REUSED_ACROSS_PROGRAMS (6)
#define TST_NC_PUSI_MID_PES (7)
#define TST_NC_NAL_HEADER (8)
#define TST_NC_AV1_OBU_HEADER (9)
#define TST_NC_AV1_REGISTRATION_MALFORMED (10)
#define TST_NC_PES_HEADER_MALFORMED (11)
#define TST_NC_PTS_ANOMALY (12)
#define TST_NC_MISSING_REQUIRED_PTS (13)
#define TST_NC_PCR_MALFORMED (14)
#define TST_NC_SUBTITLE_ALIGNMENT_MISSING (15)
#define TST_NC_SUBTITLE_MISSING_DESCRIPTOR (16)
#define TST_NC_MULTI_CELL_AU (17)
#define TST_NC_CFI_TOLERATED (18)
#define TST_NC_PSI_MULTI_SECTION_UNSUPPORTED (19)
#define TST_NC_PSI_CC_DISCONTINUITY (20)
#define TST_NC_PSI_OVERLONG_SECTION (21)
#define TST_NC_DVB_SUB_DATA_IDENTIFIER (22)
#define TST_NC_LATM_FRAMING (23)
#define TST_NC_AC3_SYNC_MISSING (24)
#define TST_NC_AV1_WRONG_STREAM_ID (25)
#define TST_NC_AV1_MISSING_TS_OBU_FRAMING (26)
#define TST_NC_AV1_OBU_MISSING_SIZE_FIELD (27)
#define TST_NC_AV1_TILE_LIST_NOT_ALLOWED (28)
#define TST_NC_MISSING_METADATA_DESCRIPTOR (29)
#define TST_NC_SUBTITLE_DESCRIPTOR_AMBIGUOUS (30)
#define TST_NC_SUBTITLE_DESCRIPTOR_MALFORMED (31)
#define TST_NC_PMT_PROGRAM_NUMBER_MISMATCH (32)
#define TST_NC_UNSUPPORTED_SCRAMBLING (33)
#define TST_NC_ADAPTATION_FIELD_MALFORMED (34)
#define TST_NC_ZERO_LENGTH_PES_NON_VIDEO (35)
#define TST_NC_PSI_SYNTAX (36)
#define TST_NC_OTHER (255)

/* tst_record.reason of TST_NC_MULTI_CELL_AU */
#define TST_REASON_ORPHAN (0)
#define TST_REASON_SEQUENCE_GAP (1)
#define TST_REASON_CONCURRENT_FIRST (2)
#define TST_REASON_OVERFLOW (3)
#define TST_REASON_OVERFLOW_TOTAL (4)
#define TST_REASON_TOO_MANY_PIDS (5)

/* tst_record.observed_cfi and .treated_as: the wire bits of
 * cell_fragment_indication */
#define TST_CFI_MIDDLE (0)
#define TST_CFI_LAST (1)
#define TST_CFI_FIRST (2)
#define TST_CFI_COMPLETE (3)

/* tst_record.reason, .observed_cfi, .treated_as where the event has none */
#define TST_NONE (255)

/* tst_program_link.source */
#define TST_LINK_DECLARED (1)
#define TST_LINK_INFERRED (2)
#define TST_LINK_OVERRIDE (3)

/* Payloads up to this many bytes are copied into the arena. */
#define TST_PAYLOAD_INLINE_MAX (4096)

/* One event, 64 bytes. Fields that an event type does not use are 0, or
 * TST_NONE where 0 means something. Offsets in bytes:
 *   0 pts_90k   8 dts_90k   16 payload   20 payload_len   24 pid
 *   26 program_number   28 stream_kind   29 codec   30 stream   32 type
 *   33 detail   34 flags   36 text   40 text_len   44 cell_count   48 position
 *   56 stream_type   57 reason   58 observed_cfi   59 treated_as   60 reserved
 * In Python's struct: "<qqIIHHBBHBBHIIIQBBBBI"; bytes 24 to 31 as one Q are a key
 * of the stream. */
typedef struct tst_record {
  int64_t pts_90k;         /* 33 bits, or unwrapped when configured so */
  int64_t dts_90k;         /* valid with TST_F_HAS_DTS */
  uint32_t payload;        /* offset in the arena; TST_F_LAZY: number for tst_chunk_gather */
  uint32_t payload_len;    /* bytes */
  uint16_t pid;            /* the stream: these four and the next two */
  uint16_t program_number; /* 0: not known */
  uint8_t stream_kind;     /* TST_KIND_ */
  uint8_t codec;           /* TST_CODEC_ */
  uint16_t stream;         /* dense number of this stream identity in this demuxer, from 0;
                              65535: too many identities, tell by the fields before */
  uint8_t type;            /* TST_EV_ */
  uint8_t detail;          /* by type: TST_METADATA_, TST_AV1_, TST_DISC_, TST_NC_ */
  uint16_t flags;          /* TST_F_ */
  uint32_t text;           /* arena offset: issue text (UTF-8) or tst_program_head */
  uint32_t text_len;       /* bytes */
  uint32_t cell_count;     /* TST_EV_KLV: AU cells joined, at least 1 */
  uint64_t position;       /* input offset of the packet in which the sample began, or of the
                              packet at fault, in bytes since the demuxer began */
  uint8_t stream_type;     /* TST_EV_UNKNOWN_SAMPLE: of the PMT (0x15 for any KLV stream) */
  uint8_t reason;          /* TST_REASON_ or TST_NONE */
  uint8_t observed_cfi;    /* TST_CFI_ or TST_NONE */
  uint8_t treated_as;      /* TST_CFI_ or TST_NONE */
  uint32_t reserved;
} tst_record;

/* A program map in the arena (text, text_len of TST_EV_PROGRAM_MAP) is one
 * tst_program_head, then stream_count times a tst_program_stream followed at once
 * by its descriptor loop of descriptors_len bytes (tag, length, body, in PMT
 * order, whole), then link_count tst_program_link. Nothing is padded or aligned.
 * In Python's struct: head "<HHHHHBB", stream "<HBBBBH", link "<HHBB". */
typedef struct tst_program_head {
  uint16_t program_number;
  uint16_t pcr_pid;
  uint16_t pmt_pid;
  uint16_t stream_count;
  uint16_t link_count;
  uint8_t version_number;
  uint8_t reserved;
} tst_program_head;

typedef struct tst_program_stream {
  uint16_t pid;
  uint8_t stream_type;
  uint8_t kind;  /* TST_KIND_ */
  uint8_t codec; /* TST_CODEC_ */
  uint8_t reserved;
  uint16_t descriptors_len; /* bytes of descriptors that follow */
} tst_program_stream;

typedef struct tst_program_link {
  uint16_t klv_pid;
  uint16_t video_pid;
  uint8_t source; /* TST_LINK_ */
  uint8_t reserved;
} tst_program_link;

/* Counters of a demuxer; all but programs_seen go to 0 at reset. */
typedef struct tst_demuxer_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t program_maps_seen;     /* ProgramMap events */
  uint64_t pmt_versions_seen;     /* accepted PMT versions */
  uint64_t discontinuities;       /* Discontinuity events */
  uint64_t nonconformant;         /* NonConformant events */
  uint64_t programs_seen;         /* programs of the PAT in force */
  uint64_t subtitle_streams_seen; /* PIDs on which a subtitle was seen */
  uint64_t bytes_total;           /* input bytes taken */
  uint64_t packets_total;         /* packets in sync */
} tst_demuxer_stats;

/* ---- making ---------------------------------------------------------- */

/* Parameters of a configuration for a demuxer (tst_config_set_int), all optional:
 *   strict_mode            0 off, 1 timing only, 2 PSI only, 3 full; default 0
 *   pes_cap_per_pid        bytes, 1 to 2^62; default 4194304
 *   pes_cap_total          bytes, 1 to 2^62; default 67108864
 *   cfi_tolerance          0 or 1; default 1
 *   av1_carriage           TST_AV1_MPEG2_TS_BINDING (default) or _INTEROP_RAW_OBU
 *   au_cell_cap_per_pid    bytes, 1 to 2^62; default 1048576
 *   lenient_psi_reassembly 0 or 1; default 0
 *   sync_buf_cap           bytes, 1 to 2^62: most that one feed, with what is left
 *                          over from the last, may hold; default 4194304
 *   unwrap_timestamps      0 or 1; default 0
 *   hold_before_pmt_bytes  bytes, 0 to 2^30: packets kept of PIDs that no PMT has
 *                          named yet, delivered behind the program map; default 0
 *   deliver_unmapped       0 or 1: at a flush, or the end of the input, while a table
 *                          is still missing, deliver held PES as unknown samples of
 *                          program 0 and stream_type 0; default 0
 * and for the constructors that read by themselves:
 *   read_limit             bytes after which the input counts as ended, 0 none;
 *                          the limit is rounded up to 65536; default 0
 * A wrong value is TST_E_INVALID_ARG, the field names the parameter. */

/* tst_demuxer_new makes a demuxer to be fed. config 0: all defaults. Owned:
 * tst_demuxer_close. Any thread, any time. QUICK. Since 1. */
tst_status tst_demuxer_new(tst_demuxer *out, tst_config config);

/* tst_demuxer_open_path makes a demuxer that reads a file, FIFO or device by
 * itself. path: path_len bytes, in the system's encoding, no NUL. The input is
 * flushed at its end. TST_E_IO with attribute "errno" where it cannot be opened
 * or is a directory. Owned: tst_demuxer_close. Any thread, any time. Since 1. */
tst_status tst_demuxer_open_path(tst_demuxer *out, tst_cchar *path, size_t path_len, tst_config config);

/* tst_demuxer_open_fd is the same over an open descriptor (0: standard input),
 * which stays the caller's and must stay open until tst_demuxer_close; it is read
 * from where it stands. Any thread, any time. Since 1. */
tst_status tst_demuxer_open_fd(tst_demuxer *out, int32_t fd, tst_config config);

/* tst_demuxer_close ends a demuxer and wakes a read that waits in it. Chunks
 * handed out stay valid. Accepts 0 and repeated calls. Any thread, any time.
 * Since 1. */
tst_status tst_demuxer_close(tst_demuxer demuxer);

/* ---- feeding --------------------------------------------------------- */

/* tst_demuxer_feed parses data (caller's, copied as far as needed). *pending (may
 * be NULL) is set, also on an error, to how many events wait for tst_demuxer_read.
 *   TST_E_DEMUX_STRICT_REJECTION   a finding that the strict mode rejects; its
 *       event is queued, the rest of data is kept: feed again, also with length
 *       0, to go on behind the packet.
 *   TST_E_DEMUX_MALFORMED_PES      the same for a PES in full mode, no event.
 *   TST_E_DEMUX_UNRECOVERABLE      more than 6016 bytes in a row without sync;
 *       all of data was taken, events of what followed are queued.
 *   TST_E_DEMUX_SYNC_BUF_EXHAUSTED len and what is left over exceed
 *       sync_buf_cap; nothing was taken.
 * One thread at a time per handle. Since 1. */
tst_status tst_demuxer_feed(uint64_t *pending, tst_demuxer demuxer, tst_cu8 *data, size_t len);

/* tst_demuxer_flush delivers the PES that are still open, in the order in which
 * they began, and forgets access units whose last cell is missing. A cut packet at
 * the end gives no event; what a strict error left over still waits for the next
 * feed. The tables stay known; feeding may go on. *pending as for feed. One thread
 * at a time per handle. Since 1. */
tst_status tst_demuxer_flush(uint64_t *pending, tst_demuxer demuxer);

/* ---- reading --------------------------------------------------------- */

/* tst_demuxer_read takes up to recs_cap events out.
 *   recs, arena   caller's; *n records and *arena_len bytes are filled
 *   chunk         owned handle (tst_chunk_close), or 0 when no record is lazy
 *   timeout_ms    for a reading demuxer: how long to wait for input of a FIFO, a
 *                 pipe or a terminal; 0 not, -1 until there is some. A fed
 *                 demuxer never waits.
 * TST_OK means *n > 0. Otherwise *n is 0, *chunk 0, and
 *   TST_E_AGAIN             fed: nothing is queued
 *   TST_E_TIMEOUT           reading: nothing came in time; try again
 *   TST_E_EOS               reading: the input has ended and all is read
 *   TST_E_CANCELLED         tst_demuxer_cancel was called
 *   TST_E_BUFFER_TOO_SMALL  the first event alone needs more arena: *arena_len is
 *                           the size it needs, nothing is taken
 *   TST_E_IO                the input failed, attribute "errno"
 *   TST_E_DEMUX_...         reading: as for feed. The events of the 64 KiB of
 *                           input that raised it are dropped, those before were
 *                           delivered by earlier reads; the demuxer has ended.
 * A 1 MiB arena and 1024 records suit most inputs. One thread at a time per
 * handle. Since 1. */
tst_status tst_demuxer_read(tst_record *recs, size_t recs_cap, size_t *n, uint8_t *arena, size_t arena_cap,
                            size_t *arena_len, tst_chunk *chunk, tst_demuxer demuxer, int32_t timeout_ms);

/* tst_read_buffers is what tst_demuxer_feed_read reads into. */
typedef struct tst_read_buffers {
  /* Set by the caller, once. */
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  tst_record *recs;
  size_t recs_cap;
  uint8_t *arena;
  size_t arena_cap;
  /* Set by each call. */
  size_t n;
  size_t arena_len;
  tst_chunk chunk;
  uint64_t pending; /* events that still wait for tst_demuxer_read */
} tst_read_buffers;

/* tst_demuxer_feed_read is tst_demuxer_feed and, where that went well and no
 * event waited before, tst_demuxer_read in one call: half the calls of a program
 * that feeds small pieces. io is caller's, and so are the buffers it names; n is 0
 * where nothing was read, also where the first event needs more arena (pending
 * then counts it). Status as tst_demuxer_feed; the fields n to pending are set on
 * an error, too. One thread at a time per handle. Since 1. */
tst_status tst_demuxer_feed_read(tst_read_buffers *io, tst_demuxer demuxer, tst_cu8 *data, size_t len);

/* tst_demuxer_cancel makes a waiting tst_demuxer_read, and every later one,
 * return TST_E_CANCELLED. Any thread, any time. QUICK. Since 1. */
tst_status tst_demuxer_cancel(tst_demuxer demuxer);

/* tst_demuxer_get_stats fills *out as far as its struct_size reaches. One thread
 * at a time per handle. QUICK. Since 1. */
tst_status tst_demuxer_get_stats(tst_demuxer_stats *out, tst_demuxer demuxer);

/* tst_demuxer_reset_stats zeroes all counters but programs_seen. One thread at a
 * time per handle. QUICK. Since 1. */
tst_status tst_demuxer_reset_stats(tst_demuxer demuxer);

/* ---- payloads that stayed behind ------------------------------------- */

/* tst_chunk_gather copies a lazy payload: out is caller's, cap its size, *n the
 * bytes written, always the record's payload_len. payload is the record's number.
 * TST_E_BUFFER_TOO_SMALL: *n is the size needed. Any thread, any time; several
 * threads may gather from one chunk at once. Since 1. */
tst_status tst_chunk_gather(uint8_t *out, size_t cap, size_t *n, tst_chunk chunk, uint32_t payload);

/* tst_chunk_close gives the chunk back. Accepts 0 and repeated calls. Any thread,
 * any time. QUICK. Since 1. */
tst_status tst_chunk_close(tst_chunk chunk);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_MPEGTS_H */
