/* tstrans/page.h: the web page of a live stream and its routes: player, markers,
 * telemetry. Part of the library: nothing comes from another host.
 *
 * THREADS  All functions: any thread, any time.
 */
#ifndef TSTRANS_PAGE_H
#define TSTRANS_PAGE_H

#include "tstrans/hls.h"
#include "tstrans/timeline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A page with its routes, a server for it, the answer to one request. */
typedef uint64_t tst_site;
typedef uint64_t tst_site_server;
typedef uint64_t tst_site_answer;

/* tst_site_new makes a site. timeline and track are shared; 0 for none. Parameters:
 *   title       shown above the player; default "Live"
 *   playlist    path of the playlist to play; default "/playlist.m3u8"
 *   target_s    length of every segment (double), where they are numbered from 0
 *               and no publisher says how the clocks lie; default 2.0
 *   low_latency 1 keeps the player near the live edge; default 0
 *   whep        path of a WebRTC endpoint with the same stream; default none
 *   video_dir   folder behind /video/, which need not exist yet; default none
 *   static_dir  folder whose files take the place of the page's; default none
 *   cors        1 lets pages of any origin use every route; default 0
 *   read_only   1 takes no markers by HTTP; default 0
 *   max_feeds   clients of the event feed, from 1; default 256
 * Owned: tst_site_close. Since 1. */
tst_status tst_site_new(tst_site *out, tst_timeline timeline, tst_track track, tst_config config);

/* tst_site_close gives the handle back; servers go on. Accepts 0 and repeated
 * calls. Since 1. */
tst_status tst_site_close(tst_site site);

/* tst_site_listen serves a site at "ip:port", port 0: a free one.
 * TST_E_HLS_BIND_FAILED with attribute "errno". Owned: tst_site_server_close. Since 1. */
tst_status tst_site_listen(tst_site_server *out, tst_site site, tst_cchar *addr, size_t addr_len);

/* tst_site_attach serves a site beside a publisher's presentation, on the
 * publisher's server: "/" is the page, and its clocks are the publisher's. The
 * publisher keeps the site. Where segments have dates, markers of the current epoch
 * stand in the playlist as EXT-X-DATERANGE; KLV sent to a muxer in front of the
 * publisher becomes the site's telemetry. TST_E_HLS_INVALID_CONFIG: without a server, or with one
 * that has a page. tst_site_attach_mux does so for a publisher behind a muxer. Since 1. */
tst_status tst_site_attach(tst_site site, tst_hls hls);
tst_status tst_site_attach_mux(tst_site site, tst_hls_mux mux);

/* tst_site_edge is the newest stream time of an attached publisher, in seconds;
 * TST_E_AGAIN before its first segment. Since 1. */
tst_status tst_site_edge(double *edge_s, tst_site site);

/* tst_site_server_addr writes "ip:port" of the bound socket into out (caller's),
 * without NUL. QUICK. Since 1. */
tst_status tst_site_server_addr(uint8_t *out, size_t cap, size_t *len, tst_site_server server);

/* tst_site_server_close ends feeds, gives other answers half a second, and stops.
 * Accepts 0 and repeated calls. Since 1. */
tst_status tst_site_server_close(tst_site_server server);

/* tst_site_request answers one request without a socket, for servers of other
 * makes. headers: lines "Name: value", each ended by \n. The event feed is not
 * served so: TST_E_NOT_SUPPORTED; use tst_timeline_wait. All inputs are the
 * caller's. Owned: tst_site_answer_close. Since 1. */
tst_status tst_site_request(tst_site_answer *out, uint32_t *http_status, size_t *headers_len, size_t *body_len,
                            tst_site site, tst_cchar *method, size_t method_len, tst_cchar *target, size_t target_len,
                            tst_cchar *headers, size_t in_headers_len, tst_cu8 *body, size_t in_body_len);

/* tst_site_answer_read copies headers (lines as above) and body out. Since 1. */
tst_status tst_site_answer_read(uint8_t *headers, size_t headers_cap, uint8_t *body, size_t body_cap,
                                tst_site_answer answer);

/* tst_site_answer_close gives it back. Accepts 0 and repeated calls. Since 1. */
tst_status tst_site_answer_close(tst_site_answer answer);

#ifdef __cplusplus
}
#endif

#endif /* TSTRANS_PAGE_H */
