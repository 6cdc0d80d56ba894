/* tstrans/klv.h: MISB KLV: sets decoded to records and back.
 *
 * OUTPUT  Every function here that makes data writes it into the caller's
 *         buffer `out` of `cap` bytes. The first four bytes hold the size of the
 *         whole output, little endian; data other than record blocks begins at
 *         byte TST_KLV_HEADER, the four bytes between are 0. When the buffer is
 *         too small the status is TST_E_BUFFER_TOO_SMALL, the first four bytes
 *         hold the size needed (if cap is at least 4), and nothing else is valid.
 * BLOCK   A record block is an ST 0601 record in one piece of memory, one 8-byte
 *         slot a present item. All integers little endian:
 *            0  u32  size of the block
 *            4  u16  n, the number of slots
 *            6  u16  d, how many of them (the last d) are data slots
 *            8  u32  offset of the extras, 0 without any
 *           12  u32  reserved, 0
 *           16  16 bytes  universal label
 *           32  n bytes   field index of each slot, zero padding to a multiple of 8
 *               n x 8     slots: a double, an int64_t or a uint64_t as the field's
 *                         class says; a data slot is u32 offset from the block's
 *                         start, u32 length
 *               bytes     what the data slots point to: UTF-8 text, bytes, or a
 *                         value tree
 *               extras    a value tree: (unknown, field errors, sentinel tags,
 *                         IMAPB specials) and, where some values came in lengths
 *                         other than the encoder's, a fifth: ((tag, length), ...)
 *         Field indices and classes are those of tst_klv_fields.
 * TREE    A value tree is how structured values travel. A value is one letter
 *         and its content, integers little endian:
 *            N  nothing            T, F  true, false      i int32  integer
 *            l  int32 n, |n| x uint16: an integer of |n| digits of 15 bits, least
 *               significant first, negative where n is
 *            g  double             s  u32 n, n bytes      u  u32 n, n bytes of UTF-8
 *            (  u32 n, n values: a tuple
 *         These are the forms of Python's marshal, version 2: marshal.loads reads
 *         a tree, marshal.dumps(value, 2) makes one ('[' is taken as '(').
 * ERRORS  Broken records give TST_E_KLV_*, records that cannot be written
 *         TST_E_KLV_ENCODE_* (attribute "tag"). Wrong types inside a block or
 *         tree are TST_E_INVALID_ARG, integers too wide TST_E_OVERFLOW.
 * BOUNDS  Memory is bounded by the size of the input.
 */
#ifndef TSTRANS_KLV_H
#define TSTRANS_KLV_H

#include "tstrans/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where data other than blocks begins in an output. */
#define TST_KLV_HEADER (8)

/* How much of the standard a record must obey to be decoded. */
#define TST_KLV_LENIENT (0)    /* any universal label */
#define TST_KLV_STRICT (1)     /* the set's own label; sets other than ST 0601: no errors in fields, no duplicates */
#define TST_KLV_COMPLIANCE (2) /* ST 0601: item 2 first, item 1 last, item 65 present */

/* Flags of the encoders. */
#define TST_KLV_ENCODE_COMPLIANCE (1) /* mandatory items must be there */
#define TST_KLV_ENCODE_MARK (2)       /* write the standard's mark for values out of range */
#define TST_KLV_ENCODE_STANDALONE (4) /* with universal label, length and checksum */

/* tst_klv_uas_decode decodes one ST 0601 record (universal label, length, items,
 * checksum) to a block. Bytes behind the record are ignored. QUICK.
 * Any thread, any time. Since 1. */
tst_status tst_klv_uas_decode(uint8_t *out, size_t cap, tst_cu8 *record, size_t len, uint32_t mode);

/* tst_klv_uas_encode makes a record of a block: typed items ascending by tag,
 * reserved and special values, unknown items, checksum. flags: COMPLIANCE, MARK.
 * QUICK. Any thread, any time. Since 1. */
tst_status tst_klv_uas_encode(uint8_t *out, size_t cap, tst_cu8 *block, size_t len, uint32_t flags);

/* tst_klv_uas_patch copies a record with the items of a block in place of those
 * of the same tags; all other items keep their bytes. flags: MARK. QUICK.
 * Any thread, any time. Since 1. */
tst_status tst_klv_uas_patch(uint8_t *out, size_t cap, tst_cu8 *record, size_t len, tst_cu8 *block, size_t block_len,
                             uint32_t flags);

/* tst_klv_uas_decode_many decodes n records that lie in data at offsets[i], of
 * lengths[i] bytes. The output holds n x {u32 offset, u32 status} from byte
 * TST_KLV_HEADER on, then the blocks; a record that cannot be decoded has its
 * negative status and offset 0. Offsets count from the output's start.
 * Any thread, any time. Since 1. */
tst_status tst_klv_uas_decode_many(uint8_t *out, size_t cap, tst_cu8 *data, size_t len, tst_cu64 *offsets,
                                   tst_cu64 *lengths, size_t n, uint32_t mode);

/* tst_klv_fields describes the fields of a set as a tree: a tuple of (name, tag,
 * class, type, min, max, bytes, most bytes, unit, enum, record, citation, resolution, meaning of the
 * reserved value) in the order of field indices. Classes: 0 double, 1 uint64_t, 2 int64_t, 3 text,
 * 4 bytes, 5 tree. set is one of TST_KLV_SET_. Any thread, any time. Since 1. */
tst_status tst_klv_fields(uint8_t *out, size_t cap, uint32_t set);

/* The sets and packs: what tst_klv_set_decode and tst_klv_set_encode take. */
#define TST_KLV_SET_UAS_DATALINK (1)    /* ST 0601; tst_klv_fields only */
#define TST_KLV_SET_SECURITY (2)        /* ST 0102 local set */
#define TST_KLV_SET_PRECISION_TIME (3)  /* ST 0605 pack */
#define TST_KLV_SET_VMTI (4)            /* ST 0903 VMTI local set */
#define TST_KLV_SET_VTARGET (5)         /* ST 0903 VTarget pack */
#define TST_KLV_SET_VMASK (6)
#define TST_KLV_SET_VOBJECT (7)
#define TST_KLV_SET_VFEATURE (8)
#define TST_KLV_SET_VTRACKER (9)
#define TST_KLV_SET_VCHIP (10)
#define TST_KLV_SET_ALGORITHM (11)
#define TST_KLV_SET_ONTOLOGY (12)
#define TST_KLV_SET_LOCATION (13)       /* ST 0903 location pack */
#define TST_KLV_SET_VCHIP_SERIES (14)   /* series: a tuple of the element's record */
#define TST_KLV_SET_VOBJECT_SERIES (15)
#define TST_KLV_SET_ALGORITHM_SERIES (16)
#define TST_KLV_SET_ONTOLOGY_SERIES (17)
#define TST_KLV_SET_LOCATION_SERIES (18)
#define TST_KLV_SET_RVT (19)            /* ST 0806 */
#define TST_KLV_SET_CORE_ID (20)        /* ST 1204 */
#define TST_KLV_SET_SDCC (21)           /* ST 1010 SDCC-FLP; encode takes (std devs, correlations, length) */
#define TST_KLV_SET_RVT_POI (22)
#define TST_KLV_SET_RVT_AOI (23)
#define TST_KLV_SET_RVT_USER_DATA (24)

/* tst_klv_set_decode decodes a set to a tree. Without TST_KLV_STANDALONE the data
 * is the set's body, with it universal label, length and body. mode: LENIENT or
 * STRICT. Any thread, any time. Since 1. */
#define TST_KLV_STANDALONE (256) /* added to the mode: label and length come first */
#define TST_KLV_EXACT (512)      /* added to the mode: bytes behind a standalone set are an error */
tst_status tst_klv_set_decode(uint8_t *out, size_t cap, uint32_t set, tst_cu8 *data, size_t len, uint32_t mode);

/* tst_klv_set_encode makes a set's bytes of a tree of the shape that decoding
 * gives. flags: COMPLIANCE, STANDALONE. Any thread, any time. Since 1. */
tst_status tst_klv_set_encode(uint8_t *out, size_t cap, uint32_t set, tst_cu8 *tree, size_t len, uint32_t flags);

/* tst_klv_core_id_text renders an ST 1204 core identifier, given as the tree that
 * decoding gives, in the text form of the standard. Any thread, any time. Since 1. */
tst_status tst_klv_core_id_text(uint8_t *out, size_t cap, tst_cu8 *tree, size_t len);

/* tst_klv_mismms checks a record block against the minimum metadata set of ST
 * 0902. The output is a tree: a tuple of (kind, tag, name or nothing, second tag
 * or nothing). Any thread, any time. Since 1. */
tst_status tst_klv_mismms(uint8_t *out, size_t cap, tst_cu8 *block, size_t len);

/* What tst_klv_cot makes. */
#define TST_KLV_COT_PLATFORM (1)     /* the platform's position event */
#define TST_KLV_COT_SENSOR_POINT (2) /* the sensor point of interest event */
#define TST_KLV_COT_PLATFORM_UID (3) /* the uid alone */
#define TST_KLV_COT_SENSOR_UID (4)

/* tst_klv_cot renders a record block as Cursor on Target XML (ST 0805). config is
 * a tree: (platform type, update interval in us, producer, geoid undulation in m
 * or nothing, how, generated time in us). Any thread, any time. Since 1. */
tst_status tst_klv_cot(uint8_t *out, size_t cap, uint32_t what, tst_cu8 *block, size_t len, tst_cu8 *config, size_t config_len);

/* ---- tables: many records as columns ---------------------------------- */

/* A table collects ST 0601 records as columns: packets in, NumPy-ready arrays
 * out, no object a record. */
typedef uint64_t tst_klv_table;

/* tst_klv_table_new makes an empty table. Owned: tst_klv_table_close. Any thread,
 * any time. Since 1. */
tst_status tst_klv_table_new(tst_klv_table *out);

/* tst_klv_table_add decodes n records that lie in data at offsets[i], of
 * lengths[i] bytes, one row each. Without TST_KLV_TABLE_SKIP in mode the first
 * record that cannot be decoded ends the call with its error, the rows before it
 * stay; with it such records are left out. rows, if not NULL, receives 1 for a
 * record that became a row, else 0. The data is not kept. One thread at a time
 * per handle. Since 1. */
#define TST_KLV_TABLE_SKIP (1024) /* added to the mode */
tst_status tst_klv_table_add(uint8_t *rows, tst_klv_table table, tst_cu8 *data, size_t len, tst_cu64 *offsets,
                             tst_cu64 *lengths, size_t n, uint32_t mode);

/* tst_klv_table_info gives a tree: (rows, skipped, columns), columns being a tuple
 * of (field index, values present) of the fields that any row has, in field
 * order. One thread at a time per handle. Since 1. */
tst_status tst_klv_table_info(uint8_t *out, size_t cap, tst_klv_table table);

/* tst_klv_table_column fills one column. values holds one 8-byte element a row: a
 * double (NaN where absent), an int64_t or a uint64_t (0 where absent); for text,
 * bytes and trees an int64_t index into the column's dictionary, -1 where absent.
 * valid, if not NULL, holds one byte a row, 1 where present. n must be the number
 * of rows. One thread at a time per handle. Since 1. */
tst_status tst_klv_table_column(void *values, uint8_t *valid, tst_klv_table table, uint32_t field, size_t n);

/* tst_klv_table_dictionary gives the distinct values of a text, bytes or tree
 * column, as a tuple in the order of the indices. One thread at a time per
 * handle. Since 1. */
tst_status tst_klv_table_dictionary(uint8_t *out, size_t cap, tst_klv_table table, uint32_t field);

/* tst_klv_table_extras gives what columns do not hold, a tuple of (row, (unknown,
 * field errors, sentinel tags, IMAPB specials)) of the rows that have any, and
 * the distinct universal labels: (extras, labels, label index a row as bytes of
 * int32). One thread at a time per handle. Since 1. */
tst_status tst_klv_table_extras(uint8_t *out, size_t cap, tst_klv_table table);

/* tst_klv_table_close gives the table back. Any thread, any time. Since 1. */
tst_status tst_klv_table_close(tst_klv_table table);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_KLV_H */
