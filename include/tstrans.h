/* tstrans: MPEG-TS, MISB KLV and live transports behind a C ABI.
 *
 * The umbrella header: it includes one header a room. C99, also compiles as C++.
 * Conventions that hold for every function are written down once, in
 * tstrans/base.h.
 */
#ifndef TSTRANS_H
#define TSTRANS_H

#include "tstrans/base.h"
#include "tstrans/audio.h"
#include "tstrans/rtpflow.h"
#include "tstrans/aio.h"
#include "tstrans/codec.h"
#include "tstrans/hls.h"
#include "tstrans/klv.h"
#include "tstrans/mediafile.h"
#include "tstrans/mp4.h"
#include "tstrans/mpegts.h"
#include "tstrans/mux.h"
#include "tstrans/pipeline.h"
#include "tstrans/transport.h"
#include "tstrans/udp.h"
#include "tstrans/tcp.h"
#include "tstrans/srt.h"
#include "tstrans/rtp.h"
#include "tstrans/rtsp.h"
#include "tstrans/rist.h"
#include "tstrans/timeline.h"
#include "tstrans/page.h"
#include "tstrans/webrtc.h"

#endif /* TSTRANS_H */
