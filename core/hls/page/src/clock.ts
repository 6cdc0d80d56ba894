// The clocks: media time (the player's), PTS, and stream time.

import type { Anchor } from './config';

const MODULUS = 2 ** 33;
export const TICKS = 90000;

/** The signed distance of two time stamps, the shorter way round. */
export function ptsDistance(from: number, to: number): number {
  let d = (to - from) % MODULUS;
  if (d < 0) d += MODULUS;
  return d > MODULUS / 2 ? d - MODULUS : d;
}

export interface Segment {
  sequence: number;
  start: number; // media time
  discontinuity: number;
}

export class Clock {
  /** Ticks to add to media time, by discontinuity: they make it a PTS. */
  private bases = new Map<number, number>();
  /** The segment that the picture shown belongs to. */
  segment?: Segment;
  anchors?: Anchor[];
  /** media time + offset = stream time */
  private offset?: number;

  constructor(private target: number) {}

  reset(anchors: Anchor[] | undefined): void {
    this.anchors = anchors;
    this.bases.clear();
    this.segment = undefined;
    this.offset = undefined;
  }

  setBase(discontinuity: number, baseTime: number, timescale: number): void {
    this.bases.set(discontinuity, (baseTime * TICKS) / timescale);
    this.offset = undefined;
  }

  /** PTS of a media time in 90 kHz ticks, undefined before the first segment was parsed. */
  pts(media: number): number | undefined {
    const base = this.bases.get(this.segment?.discontinuity ?? 0) ?? [...this.bases.values()].pop();
    if (base === undefined) return undefined;
    const pts = Math.round(media * TICKS + base) % MODULUS;
    return pts < 0 ? pts + MODULUS : pts;
  }

  private anchor(): Anchor | undefined {
    let found: Anchor | undefined;
    for (const a of this.anchors ?? []) {
      if (!found || !this.segment || a.sequence <= this.segment.sequence) found = a;
    }
    return found;
  }

  /** Called for each picture: ties both clocks as exactly as is known. */
  tie(media: number): void {
    const s = this.segment;
    if (this.anchors) {
      const a = this.anchor();
      const pts = this.pts(media);
      if (a && pts !== undefined) {
        this.offset = a.start + ptsDistance(a.pts, pts) / TICKS - media;
      } else if (a && s && a.sequence === s.sequence) {
        this.offset = a.start - s.start;
      }
    } else if (s) {
      this.offset = s.sequence * this.target - s.start;
    }
  }

  /** Whether one relation holds for all media times: the source's clock was not set anew. */
  get steady(): boolean {
    return this.bases.size === 1;
  }

  get known(): boolean {
    return this.offset !== undefined;
  }

  stream(media: number): number | undefined {
    return this.offset === undefined ? undefined : media + this.offset;
  }

  media(stream: number): number | undefined {
    return this.offset === undefined ? undefined : stream - this.offset;
  }
}
