package main

/*
#include "detail.h"
*/
import "C"

import (
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

//export tst_link_get_stats
func tst_link_get_stats(out *C.tst_link_stats, id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	l, err := share[*link](id)
	if err != nil {
		return status(err)
	}
	var s transport.Stats
	if obj, _ := l.settled(); obj != nil {
		s = obj.Stats()
	}
	out.messages_sent, out.bytes_sent = C.uint64_t(s.MessagesSent), C.uint64_t(s.BytesSent)
	out.messages_received, out.bytes_received = C.uint64_t(s.MessagesReceived), C.uint64_t(s.BytesReceived)
	out.send_calls, out.recv_calls = C.uint64_t(s.SendCalls), C.uint64_t(s.RecvCalls)
	out.send_errors, out.recv_errors = C.uint64_t(s.SendErrors), C.uint64_t(s.RecvErrors)
	out.messages_dropped = C.uint64_t(s.MessagesDropped)
	return C.TST_OK
}

//export tst_link_get_reconnect_stats
func tst_link_get_reconnect_stats(out *C.tst_reconnect_stats, id C.tst_link) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	l, err := share[*link](id)
	if err != nil {
		return status(err)
	}
	var rs transport.ReconnectStats
	var reason transport.EndReason
	if obj, ok := l.settled(); ok {
		m, ok := obj.(interface {
			Reconnects() transport.ReconnectStats
		})
		if !ok {
			return fail(tsterr.NotSupported, "this link does not reconnect")
		}
		rs = m.Reconnects()
		if e, ok := obj.(interface{ EndReason() transport.EndReason }); ok {
			reason = e.EndReason()
		}
	}
	out.reconnecting = 0
	if rs.Reconnecting {
		out.reconnecting = 1
	}
	out.attempts, out.successes = C.uint64_t(rs.Attempts), C.uint64_t(rs.Successes)
	out.gap_len = C.uint64_t(rs.GapLen)
	out.gap_messages_dropped, out.gap_bytes_dropped = C.uint64_t(rs.GapMessagesDropped), C.uint64_t(rs.GapBytesDropped)
	out.link_messages_lost, out.link_bytes_lost = C.uint64_t(rs.LinkMessagesLost), C.uint64_t(rs.LinkBytesLost)
	out.messages_resent, out.end_reason = C.uint64_t(rs.Resent), C.uint32_t(reason)
	return C.TST_OK
}
