// Package tsterr holds the one numbered table of error kinds and the one error
// type that every package of core returns. The numbers are the status codes of
// the C ABI (include/tstrans/base.h): they are pinned, a value is never reused.
package tsterr

// Kind is a status code: 0 is success, every error is negative.
// Each domain owns a block of 100 numbers.
type Kind int32

// The general kinds, shared by all domains.
const (
	OK             Kind = 0
	Internal       Kind = -1  // a bug of ours: a recovered panic or a broken invariant
	InvalidArg     Kind = -2  // an argument is outside its documented range
	InvalidHandle  Kind = -3  // the handle is 0, closed, or of another type
	Busy           Kind = -4  // another thread is inside this handle
	BufferTooSmall Kind = -5  // the caller's buffer is too small; the needed size is reported, nothing was consumed
	Again          Kind = -6  // nothing to read now
	EOS            Kind = -7  // the stream has ended
	Timeout        Kind = -8  // the time given ran out
	Cancelled      Kind = -9  // cancelled from another thread
	Closed         Kind = -10 // the object was closed
	NotSupported   Kind = -11 // known, but not available here
	IO             Kind = -12 // the operating system refused; attribute "errno" says why
	NoMemory       Kind = -13 // a bounded buffer or the system's memory is exhausted
	Overflow       Kind = -14 // an integer does not fit its native width
	Discontinuity  Kind = -15 // the data that comes with it is the first of a new link
)

// Demuxing (tstrans.exceptions.DemuxErrorKind).
const (
	DemuxStrictRejection  Kind = -100
	DemuxUnrecoverable    Kind = -101 // no sync within the scan limit
	DemuxSyncBufExhausted Kind = -102 // feed plus backlog exceed the ingress ceiling
	DemuxMalformedPSI     Kind = -103
	DemuxMalformedPES     Kind = -104
)

// Muxing (MuxErrorKind): -200 minus the Python number.
const (
	MuxInputMalformed Kind = -200
	MuxConfigInvalid  Kind = -201
	MuxInvalidUsage   Kind = -202
	MuxBackpressure   Kind = -203
	MuxInternal       Kind = -204
	MuxInvalidNAL     Kind = -205
	MuxKLVTooLarge    Kind = -206
	MuxInvalidAV1OBU  Kind = -207
	MuxMISPTime       Kind = -208
)

// KLV decoding (KlvErrorKind).
const (
	KLVBadUniversalLabel  Kind = -300
	KLVTruncatedSet       Kind = -301
	KLVUnknownSet         Kind = -302
	KLVChecksumMismatch   Kind = -303
	KLVDuplicateTag       Kind = -304
	KLVMissingRequiredTag Kind = -305
	KLVMalformedBytes     Kind = -306
	KLVInternal           Kind = -307
)

// KLV encoding (KlvEncodeErrorKind): -400 minus the Python number.
const (
	KLVEncBufferTooSmall            Kind = -400
	KLVEncRecordTooLarge            Kind = -401
	KLVEncOutOfRange                Kind = -402
	KLVEncStringTooLong             Kind = -403
	KLVEncUnsupportedIMAPBLength    Kind = -404
	KLVEncInvalidIMAPBParams        Kind = -405
	KLVEncMissingMandatoryItem      Kind = -406
	KLVEncReservedTagInUnknown      Kind = -407
	KLVEncVTargetPackEmpty          Kind = -408
	KLVEncDuplicateTargetID         Kind = -409
	KLVEncForbiddenStandaloneOffset Kind = -410
)

// Codec headers (CodecErrorKind): -500 minus the Python number.
const (
	CodecTruncatedRBSP         Kind = -501
	CodecInvalidGolomb         Kind = -502
	CodecReservedValue         Kind = -503
	CodecUnsupportedProfile    Kind = -504
	CodecDanglingSPSReference  Kind = -505
	CodecDanglingVPSReference  Kind = -506
	CodecEngineError           Kind = -507
	CodecInvalidLEB128         Kind = -508
	CodecBadSyncWord           Kind = -509
	CodecTruncated             Kind = -510
	CodecForbidden             Kind = -511
	CodecUnsupportedFreeFormat Kind = -512
	CodecInvalidLengthSize     Kind = -513
	CodecNALLengthOverflow     Kind = -514
	CodecBufferTooSmall        Kind = -515
)

// RTSP (RtspErrorKind): -600 minus the Python number.
const (
	RTSPProtocol             Kind = -601
	RTSPAuthFailed           Kind = -602
	RTSPAuthRequired         Kind = -603
	RTSPNotFound             Kind = -604
	RTSPUnsupportedTransport Kind = -605
	RTSPTLS                  Kind = -606
	RTSPIO                   Kind = -607
	RTSPTimeout              Kind = -608
	RTSPServer               Kind = -609
	RTSPMount                Kind = -610
	RTSPClosed               Kind = -611
)

// RTP (RtpErrorKind): -700 minus the Python number.
const (
	RTPBroken                  Kind = -701
	RTPTooLarge                Kind = -702
	RTPClosed                  Kind = -703
	RTPBackpressure            Kind = -704
	RTPPayloadTypeParam        Kind = -705
	RTPMissingPayloadTypeParam Kind = -706
	RTPURL                     Kind = -707
	RTPHostNotLiteral          Kind = -708
	RTPIO                      Kind = -709
	RTPIfaceUnsupported        Kind = -710
	RTPEndOfStream             Kind = -711
)

// SRT (SrtErrorKind): -800 minus the Python number.
const (
	SRTConnectFailed  Kind = -800
	SRTAcceptFailed   Kind = -801
	SRTWouldBlock     Kind = -802
	SRTTimeout        Kind = -803
	SRTClosed         Kind = -804
	SRTBroken         Kind = -805
	SRTConfigInvalid  Kind = -806
	SRTIO             Kind = -807
	SRTTooLarge       Kind = -808
	SRTInputMalformed Kind = -809
	SRTEndOfStream    Kind = -810
)

// UDP (UdpErrorKind): -900 minus the Python number.
const (
	UDPURL              Kind = -900
	UDPHostNotLiteral   Kind = -901
	UDPIO               Kind = -902
	UDPIfaceUnsupported Kind = -903
	UDPPayloadTooLarge  Kind = -904
	UDPClosed           Kind = -905
	UDPInvalidConfig    Kind = -906
	UDPBackpressure     Kind = -907
	UDPBroken           Kind = -908
)

// TCP (TcpErrorKind): -1000 minus the Python number.
const (
	TCPURL             Kind = -1000
	TCPIO              Kind = -1001
	TCPPayloadTooLarge Kind = -1002
	TCPClosed          Kind = -1003
	TCPConnectTimeout  Kind = -1004
	TCPInvalidConfig   Kind = -1005
	TCPTLS             Kind = -1006
	TCPTLSDisabled     Kind = -1007
	TCPBackpressure    Kind = -1008
	TCPBroken          Kind = -1009
)

// RIST (RistErrorKind): -1100 minus the Python number.
const (
	RISTURL                 Kind = -1100
	RISTFFI                 Kind = -1101
	RISTPayloadTooLarge     Kind = -1102
	RISTClosed              Kind = -1103
	RISTInvalidConfig       Kind = -1104
	RISTEncryptionDisabled  Kind = -1105
	RISTContextCreateFailed Kind = -1106
	RISTPeerCreateFailed    Kind = -1107
	RISTRecvTimeout         Kind = -1108
	RISTIO                  Kind = -1109
)

// HLS (HlsErrorKind): -1200 minus the Python number.
const (
	HLSURL             Kind = -1200
	HLSIO              Kind = -1201
	HLSBindFailed      Kind = -1202
	HLSInvalidConfig   Kind = -1203
	HLSUnalignedPushTS Kind = -1204
	HLSFinished        Kind = -1205
	HLSTLSDisabled     Kind = -1206
	HLSTLS             Kind = -1207
	HLSInternal        Kind = -1208
	HLSClosed          Kind = -1209
)

// MP4 writing.
const (
	MP4Finished       Kind = -1300 // push after finish
	MP4InputMalformed Kind = -1301 // the bytes are not what the codec says
	MP4TimeRange      Kind = -1302 // a time stamp goes back, or is too far from its neighbour
	MP4NothingUsable  Kind = -1303 // access units came, but none could be played
	MP4CodecUnknown   Kind = -1304
)

// Timelines: markers and their store.
const (
	TimelineInvalid  Kind = -1700 // a marker's time, text or data is none
	TimelineTooLarge Kind = -1701 // beyond a documented limit
	TimelineFull     Kind = -1702 // the disk is full, or the epoch holds all it may
	TimelineStore    Kind = -1703 // the database refused
	TimelineURL      Kind = -1704 // no database is meant
)

// WebRTC: what tstrans.webrtc raises for each stands behind it.
const (
	WebRTCInternal  Kind = -1500 // an argument no connection knows: InternalError
	WebRTCAccess    Kind = -1501 // the object cannot be used this way: InvalidAccessError
	WebRTCState     Kind = -1502 // closed, or not yet that far: InvalidStateError
	WebRTCOperation Kind = -1503 // no codec that both sides know, a full queue: OperationError
	WebRTCSDP       Kind = -1504 // a description, candidate or address is broken: ValueError
)
