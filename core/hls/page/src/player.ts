// The player: what shows the stream. HLS is one; another transport may stand in for it.

import Hls from 'hls.js/light';
import type { Clock } from './clock';

export interface Player {
  /** Ranges of media time one can seek to, [0, 0] without any. */
  range(): [number, number];
  /** Where playing live would be, in media time. */
  edge(): number;
  /** The date ranges of the playlist: id and media time. */
  dateRanges(): { id: string; start: number; text: string | undefined }[];
  goLive(): void;
  reload(): void;
  destroy(): void;
}

export interface PlayerEvents {
  /** A stretch of media time can be shown now, or soon. */
  ready(from: number, to: number): void;
  notice(text: string): void;
}

export class HlsPlayer implements Player {
  private hls?: Hls;
  private timer = 0;
  private first = true;

  constructor(
    private video: HTMLVideoElement,
    private source: string,
    private clock: Clock,
    private lowLatency: boolean,
    private events: PlayerEvents,
  ) {
    this.reload();
  }

  reload(): void {
    this.destroy();
    if (!Hls.isSupported()) {
      this.events.notice('This browser cannot play the stream.');
      return;
    }
    this.first = true;
    const hls = new Hls({
      lowLatencyMode: this.lowLatency,
      backBufferLength: 60,
      maxBufferLength: 20,
      // With parts the distance to the edge is what the playlist asks for (PART-HOLD-BACK): a
      // liveSyncDurationCount would count in whole target durations.
      ...(this.lowLatency && { maxLiveSyncPlaybackRate: 1.1, liveSyncOnStallIncrease: 0.2 }),
      manifestLoadingMaxRetry: 0,
      enableWorker: false,
    });
    this.hls = hls;
    hls.on(Hls.Events.INIT_PTS_FOUND, (_, d) => this.clock.setBase(d.frag.cc, d.initPTS, d.timescale));
    hls.on(Hls.Events.FRAG_CHANGED, (_, d) => {
      if (typeof d.frag.sn === 'number') {
        this.clock.segment = { sequence: d.frag.sn, start: d.frag.start, discontinuity: d.frag.cc };
      }
    });
    hls.on(Hls.Events.FRAG_LOADING, (_, d) => {
      // What belongs to it is loaded beside it; a part may only be announced yet.
      if (!d.part) this.events.ready(d.frag.start, d.frag.start + d.frag.duration);
    });
    hls.on(Hls.Events.FRAG_BUFFERED, (_, d) => {
      const piece = d.part ?? d.frag;
      this.events.notice('');
      this.events.ready(piece.start, piece.start + piece.duration);
      if (this.first) {
        this.first = false;
        void this.video.play().catch(() => undefined); // the user starts it
      }
    });
    hls.on(Hls.Events.ERROR, (_, d) => {
      if (!d.fatal) return;
      if (d.type === Hls.ErrorTypes.MEDIA_ERROR) {
        hls.recoverMediaError();
        return;
      }
      this.events.notice('Waiting for the stream …');
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.reload(), 1000);
    });
    hls.loadSource(this.source);
    hls.attachMedia(this.video);
  }

  range(): [number, number] {
    const details = this.hls?.latestLevelDetails;
    const s = this.video.seekable;
    if (details?.fragments.length) return [details.fragmentStart, details.edge];
    return s.length ? [s.start(0), s.end(s.length - 1)] : [0, 0];
  }

  edge(): number {
    return this.hls?.liveSyncPosition ?? this.range()[1];
  }

  dateRanges(): { id: string; start: number; text: string | undefined }[] {
    const ranges = Object.values(this.hls?.latestLevelDetails?.dateRanges ?? {});
    return ranges.flatMap((r) => (r ? [{ id: r.id, start: r.startTime, text: r.attr['X-TSTRANS-TEXT'] }] : []));
  }

  goLive(): void {
    this.video.currentTime = this.edge();
    void this.video.play().catch(() => undefined);
  }

  destroy(): void {
    window.clearTimeout(this.timer);
    this.hls?.destroy();
    this.hls = undefined;
  }
}
