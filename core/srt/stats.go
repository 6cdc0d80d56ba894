package srt

/*
#include <srt/srt.h>
*/
import "C"

// Stats are the counters of one connection as libsrt keeps them. Bytes include
// the 44 bytes of IP, UDP and SRT headers a packet has. Rates are Mbit/s.
type Stats struct {
	RTTMillis            float64
	SendMbps, RecvMbps   float64
	LinkMbps             float64 // estimated capacity
	BytesSent            uint64
	PacketsSent          uint64
	BytesReceived        uint64
	PacketsReceived      uint64
	BytesLostRecv        uint64
	PacketsLostRecv      uint64
	PacketsLostSend      uint64
	PacketsRetransmitted uint64
	PacketsDroppedSend   uint64
	PacketsDroppedRecv   uint64
	BytesDroppedRecv     uint64
	PacketsUndecryptable uint64
	SendBufferPackets    uint64
	RecvBufferPackets    uint64
	AcksReceived         uint64
}

func fromLib(p *C.SRT_TRACEBSTATS) Stats {
	n := func(v C.int) uint64 { return uint64(max(0, int64(v))) }
	return Stats{
		RTTMillis: float64(p.msRTT), SendMbps: float64(p.mbpsSendRate), RecvMbps: float64(p.mbpsRecvRate),
		LinkMbps: float64(p.mbpsBandwidth), BytesSent: uint64(p.byteSentTotal), PacketsSent: uint64(p.pktSentTotal),
		BytesReceived: uint64(p.byteRecvTotal), PacketsReceived: uint64(p.pktRecvTotal),
		BytesLostRecv: uint64(p.byteRcvLossTotal), PacketsLostRecv: n(p.pktRcvLossTotal),
		PacketsLostSend: n(p.pktSndLossTotal), PacketsRetransmitted: n(p.pktRetransTotal),
		PacketsDroppedSend: n(p.pktSndDropTotal), PacketsDroppedRecv: n(p.pktRcvDropTotal),
		BytesDroppedRecv: uint64(p.byteRcvDropTotal), PacketsUndecryptable: n(p.pktRcvUndecryptTotal),
		SendBufferPackets: n(p.pktSndBuf), RecvBufferPackets: n(p.pktRcvBuf), AcksReceived: n(p.pktRecvACKTotal),
	}
}
