/* tstrans/base.h: the conventions of the C ABI, status codes, error detail,
 * versions, configuration handles.
 *
 * ORDER      Out-parameters come first, then the handle, then inputs. Each
 *            pointer to data is followed by its length.
 * HANDLES    A handle is a 64-bit id; 0 is never valid. A closed, stale or
 *            wrong-type id gives TST_E_INVALID_HANDLE, never undefined
 *            behaviour. _close accepts 0 and repeated calls.
 * STATUS     Every fallible function returns tst_status: TST_OK or a negative
 *            code. The numbers are pinned: never changed, never reused.
 * OWNERSHIP  Three words. "caller's": you pass the buffer. "owned": you give it
 *            back with the named function. "borrowed": valid until the moment
 *            the comment names.
 * THREADS    Each function says "any thread, any time" or "one thread at a
 *            time per handle". A second thread inside a handle of the latter
 *            kind gets TST_E_BUSY at once; nothing is corrupted.
 * UNITS      They are part of a field's name: pts_90k, rtt_us, bytes_total.
 * STRUCTS    Structs begin with struct_size, set by the caller (TST_X_INIT):
 *            later releases append fields only.
 * PANICS     A defect inside the library gives TST_E_INTERNAL, never an abort.
 * FORK       A process forked after the first call cannot use the library:
 *            load a second copy of it in the child.
 */
#ifndef TSTRANS_BASE_H
#define TSTRANS_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this ABI. Within one number, functions and struct fields are
 * added, never changed. */
#define TST_ABI_VERSION (1)

/* 0 or one of the negative TST_E_ codes below. */
typedef int32_t tst_status;

#define TST_OK (0)
#define TST_E_INTERNAL (-1)
#define TST_E_INVALID_ARG (-2)
#define TST_E_INVALID_HANDLE (-3)
#define TST_E_BUSY (-4)
#define TST_E_BUFFER_TOO_SMALL (-5)
#define TST_E_AGAIN (-6)
#define TST_E_EOS (-7)
#define TST_E_TIMEOUT (-8)
#define TST_E_CANCELLED (-9)
#define TST_E_CLOSED (-10)
#define TST_E_NOT_SUPPORTED (-11)
#define TST_E_IO (-12)
#define TST_E_NO_MEMORY (-13)
#define TST_E_OVERFLOW (-14)
#define TST_E_DISCONTINUITY (-15)
#define TST_E_DEMUX_STRICT_REJECTION (-100)
#define TST_E_DEMUX_UNRECOVERABLE (-101)
#define TST_E_DEMUX_SYNC_BUF_EXHAUSTED (-102)
#define TST_E_DEMUX_MALFORMED_PSI (-103)
#define TST_E_DEMUX_MALFORMED_PES (-104)
#define TST_E_MUX_INPUT_MALFORMED (-200)
#define TST_E_MUX_CONFIG_INVALID (-201)
#define TST_E_MUX_INVALID_USAGE (-202)
#define TST_E_MUX_BACKPRESSURE (-203)
#define TST_E_MUX_INTERNAL (-204)
#define TST_E_MUX_INVALID_NAL (-205)
#define TST_E_MUX_KLV_TOO_LARGE (-206)
#define TST_E_MUX_INVALID_AV1_OBU (-207)
#define TST_E_MUX_MISP_TIME (-208)
#define TST_E_KLV_BAD_UNIVERSAL_LABEL (-300)
#define TST_E_KLV_TRUNCATED_SET (-301)
#define TST_E_KLV_UNKNOWN_SET (-302)
#define TST_E_KLV_CHECKSUM_MISMATCH (-303)
#define TST_E_KLV_DUPLICATE_TAG (-304)
#define TST_E_KLV_MISSING_REQUIRED_TAG (-305)
#define TST_E_KLV_MALFORMED_BYTES (-306)
#define TST_E_KLV_INTERNAL (-307)
#define TST_E_KLV_ENCODE_BUFFER_TOO_SMALL (-400)
#define TST_E_KLV_ENCODE_RECORD_TOO_LARGE (-401)
#define TST_E_KLV_ENCODE_OUT_OF_RANGE (-402)
#define TST_E_KLV_ENCODE_STRING_TOO_LONG (-403)
#define TST_E_KLV_ENCODE_UNSUPPORTED_IMAPB_LENGTH (-404)
#define TST_E_KLV_ENCODE_INVALID_IMAPB_PARAMS (-405)
#define TST_E_KLV_ENCODE_MISSING_MANDATORY_ITEM (-406)
#define TST_E_KLV_ENCODE_RESERVED_TAG_IN_UNKNOWN (-407)
#define TST_E_KLV_ENCODE_VTARGET_PACK_EMPTY (-408)
#define TST_E_KLV_ENCODE_DUPLICATE_TARGET_ID (-409)
#define TST_E_KLV_ENCODE_FORBIDDEN_STANDALONE_OFFSET (-410)
#define TST_E_CODEC_TRUNCATED_RBSP (-501)
#define TST_E_CODEC_INVALID_GOLOMB (-502)
#define TST_E_CODEC_RESERVED_VALUE (-503)
#define TST_E_CODEC_UNSUPPORTED_PROFILE (-504)
#define TST_E_CODEC_DANGLING_SPS_REFERENCE (-505)
#define TST_E_CODEC_DANGLING_VPS_REFERENCE (-506)
#define TST_E_CODEC_ENGINE_ERROR (-507)
#define TST_E_CODEC_INVALID_LEB128 (-508)
#define TST_E_CODEC_BAD_SYNC_WORD (-509)
#define TST_E_CODEC_TRUNCATED (-510)
#define TST_E_CODEC_FORBIDDEN (-511)
#define TST_E_CODEC_UNSUPPORTED_FREE_FORMAT (-512)
#define TST_E_CODEC_INVALID_LENGTH_SIZE (-513)
#define TST_E_CODEC_NAL_LENGTH_OVERFLOW (-514)
#define TST_E_CODEC_BUFFER_TOO_SMALL (-515)
#define TST_E_RTSP_PROTOCOL (-601)
#define TST_E_RTSP_AUTH_FAILED (-602)
#define TST_E_RTSP_AUTH_REQUIRED (-603)
#define TST_E_RTSP_NOT_FOUND (-604)
#define TST_E_RTSP_UNSUPPORTED_TRANSPORT (-605)
#define TST_E_RTSP_TLS (-606)
#define TST_E_RTSP_IO (-607)
#define TST_E_RTSP_TIMEOUT (-608)
#define TST_E_RTSP_SERVER (-609)
#define TST_E_RTSP_MOUNT (-610)
#define TST_E_RTSP_CLOSED (-611)
#define TST_E_RTP_BROKEN (-701)
#define TST_E_RTP_TOO_LARGE (-702)
#define TST_E_RTP_CLOSED (-703)
#define TST_E_RTP_BACKPRESSURE (-704)
#define TST_E_RTP_PAYLOAD_TYPE_PARAM (-705)
#define TST_E_RTP_MISSING_PAYLOAD_TYPE_PARAM (-706)
#define TST_E_RTP_URL (-707)
#define TST_E_RTP_HOST_NOT_LITERAL (-708)
#define TST_E_RTP_IO (-709)
#define TST_E_RTP_IFACE_UNSUPPORTED (-710)
#define TST_E_RTP_END_OF_STREAM (-711)
#define TST_E_SRT_CONNECT_FAILED (-800)
#define TST_E_SRT_ACCEPT_FAILED (-801)
#define TST_E_SRT_WOULD_BLOCK (-802)
#define TST_E_SRT_TIMEOUT (-803)
#define TST_E_SRT_CLOSED (-804)
#define TST_E_SRT_BROKEN (-805)
#define TST_E_SRT_CONFIG_INVALID (-806)
#define TST_E_SRT_IO (-807)
#define TST_E_SRT_TOO_LARGE (-808)
#define TST_E_SRT_INPUT_MALFORMED (-809)
#define TST_E_SRT_END_OF_STREAM (-810)
#define TST_E_UDP_URL (-900)
#define TST_E_UDP_HOST_NOT_LITERAL (-901)
#define TST_E_UDP_IO (-902)
#define TST_E_UDP_IFACE_UNSUPPORTED (-903)
#define TST_E_UDP_PAYLOAD_TOO_LARGE (-904)
#define TST_E_UDP_CLOSED (-905)
#define TST_E_UDP_INVALID_CONFIG (-906)
#define TST_E_UDP_BACKPRESSURE (-907)
#define TST_E_UDP_BROKEN (-908)
#define TST_E_TCP_URL (-1000)
#define TST_E_TCP_IO (-1001)
#define TST_E_TCP_PAYLOAD_TOO_LARGE (-1002)
#define TST_E_TCP_CLOSED (-1003)
#define TST_E_TCP_CONNECT_TIMEOUT (-1004)
#define TST_E_TCP_INVALID_CONFIG (-1005)
#define TST_E_TCP_TLS (-1006)
#define TST_E_TCP_TLS_DISABLED (-1007)
#define TST_E_TCP_BACKPRESSURE (-1008)
#define TST_E_TCP_BROKEN (-1009)
#define TST_E_RIST_URL (-1100)
#define TST_E_RIST_FFI (-1101)
#define TST_E_RIST_PAYLOAD_TOO_LARGE (-1102)
#define TST_E_RIST_CLOSED (-1103)
#define TST_E_RIST_INVALID_CONFIG (-1104)
#define TST_E_RIST_ENCRYPTION_DISABLED (-1105)
#define TST_E_RIST_CONTEXT_CREATE_FAILED (-1106)
#define TST_E_RIST_PEER_CREATE_FAILED (-1107)
#define TST_E_RIST_RECV_TIMEOUT (-1108)
#define TST_E_RIST_IO (-1109)
#define TST_E_HLS_URL (-1200)
#define TST_E_HLS_IO (-1201)
#define TST_E_HLS_BIND_FAILED (-1202)
#define TST_E_HLS_INVALID_CONFIG (-1203)
#define TST_E_HLS_UNALIGNED_PUSH_TS (-1204)
#define TST_E_HLS_FINISHED (-1205)
#define TST_E_HLS_TLS_DISABLED (-1206)
#define TST_E_HLS_TLS (-1207)
#define TST_E_HLS_INTERNAL (-1208)
#define TST_E_HLS_CLOSED (-1209)
#define TST_E_MP4_FINISHED (-1300)
#define TST_E_MP4_INPUT_MALFORMED (-1301)
#define TST_E_MP4_TIME_RANGE (-1302)
#define TST_E_MP4_NOTHING_USABLE (-1303)
#define TST_E_MP4_CODEC_UNKNOWN (-1304)
#define TST_E_TIMELINE_INVALID (-1700)
#define TST_E_TIMELINE_TOO_LARGE (-1701)
#define TST_E_TIMELINE_FULL (-1702)
#define TST_E_TIMELINE_STORE (-1703)
#define TST_E_TIMELINE_URL (-1704)
#define TST_E_WEBRTC_INTERNAL (-1500)
#define TST_E_WEBRTC_ACCESS (-1501)
#define TST_E_WEBRTC_STATE (-1502)
#define TST_E_WEBRTC_OPERATION (-1503)
#define TST_E_WEBRTC_SDP (-1504)

/* const-qualified names, spelled as one word so that they survive bindings
 * generators that drop qualifiers. */
typedef const char tst_cchar;
typedef const uint8_t tst_cu8;
typedef const void tst_cvoid;
typedef const int64_t tst_ci64;
typedef const uint64_t tst_cu64;
typedef const uint32_t tst_cu32;
typedef const double tst_cdouble;

/* One further number of an error: needed_bits, pid, tag, errno ... */
typedef struct tst_error_attr {
  tst_cchar *name; /* borrowed, like the detail it belongs to */
  int64_t value;
} tst_error_attr;

#define TST_ERROR_ATTRS (8)

/* What went wrong in this thread's last failing call. */
typedef struct tst_error {
  uint32_t struct_size;
  tst_status status;
  int64_t offset;      /* bytes from the start of the caller's input; -1: none */
  tst_cchar *message;  /* never NULL */
  tst_cchar *field;    /* the field or parameter at fault, "" where none */
  uint32_t attr_count; /* how many of attrs are set */
  uint32_t reserved;
  tst_error_attr attrs[TST_ERROR_ATTRS];
} tst_error;

/* tst_last_error gives the detail of this thread's last failing call, or NULL
 * when none failed yet. Borrowed: valid until the thread's next failing call;
 * successful calls and _close leave it alone. Any thread, any time. Since 1. */
const tst_error *tst_last_error(void);

/* tst_abi_version gives the TST_ABI_VERSION the library was built with.
 * Any thread, any time. Since 1. */
uint32_t tst_abi_version(void);

/* tst_version gives the release, such as "0.2.0". Borrowed, for the life of
 * the process. Any thread, any time. Since 1. */
tst_cchar *tst_version(void);

/* tst_status_name gives "demux.strict_rejection" for a code, or NULL for an
 * unknown one. Borrowed, for the life of the process. Any thread, any time.
 * Since 1. */
tst_cchar *tst_status_name(tst_status status);

/* A set of named parameters that constructors read. Configurations may be
 * reused: a constructor copies what it needs. */
typedef uint64_t tst_config;

/* tst_config_new makes an empty configuration: every parameter has its
 * default. Owned: tst_config_close. Any thread, any time. Since 1. */
tst_status tst_config_new(tst_config *out);

/* The setters check nothing but the key's type: the constructor that reads the
 * configuration names the parameter, its range and unit when a value is
 * outside. Keys and their units are listed beside each constructor; a key that
 * the constructor does not know is TST_E_INVALID_ARG. Booleans are ints.
 * Text is UTF-8, copied. One thread at a time per handle. Since 1. */
tst_status tst_config_set_int(tst_config config, tst_cchar *key, int64_t value);
tst_status tst_config_set_double(tst_config config, tst_cchar *key, double value);
tst_status tst_config_set_text(tst_config config, tst_cchar *key, tst_cchar *value, size_t value_len);
tst_status tst_config_set_bytes(tst_config config, tst_cchar *key, tst_cu8 *value, size_t value_len);

/* tst_config_close gives the configuration back. Any thread, any time. Since 1. */
tst_status tst_config_close(tst_config config);


/* tst_handle_count gives the number of open handles of all kinds: a leak
 * check for tests. Any thread, any time. Since 1. */
uint64_t tst_handle_count(void);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_BASE_H */
