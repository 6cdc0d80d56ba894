// Telemetry: the server's decoded records by PTS, and the one that belongs to a picture.

import { json } from './config';
import { ptsDistance, TICKS } from './clock';

export type Point = [number, number]; // latitude, longitude in degrees

export interface Decoded {
  pts: number;
  async?: boolean;
  error?: string;
  fields: Record<string, number | string>;
  footprint?: Point[];
}

const MOST = 20000; // records kept
const OLDEST = 5 * TICKS; // a record older than this belongs to no picture

export class Telemetry {
  private records: Decoded[] = []; // in order of time
  private origin?: number;
  private loaded: [number, number][] = []; // stretches of ticks from the origin
  private asked: [number, number][] = []; // on their way
  track: Point[] = [];

  constructor(private onLoaded: () => void) {}

  clear(): void {
    this.records = [];
    this.loaded = [];
    this.asked = [];
    this.origin = undefined;
    this.track = [];
  }

  private place(pts: number): number {
    this.origin ??= pts;
    return ptsDistance(this.origin, pts);
  }

  /** Load what belongs to a stretch that can be shown now. */
  async load(from: number, to: number, retries = 40): Promise<void> {
    const a = this.place(from) - TICKS; // the record of the first picture may lie before it
    const b = this.place(to) + 1;
    const gap = [...this.loaded, ...this.asked].reduce<[number, number]>(
      ([x, y], [p, q]) => [p <= x && q > x ? Math.min(q, y) : x, q >= y && p < y ? Math.max(p, x) : y],
      [a, b],
    );
    if (gap[1] - gap[0] <= 1) return;
    const origin = this.origin;
    this.asked.push(gap);
    const start = (((this.origin ?? 0) + gap[0]) % 2 ** 33 + 2 ** 33) % 2 ** 33;
    try {
      const ticks = Math.ceil(gap[1] - gap[0]);
      const got = await json<{ records: Decoded[]; until?: number }>(`telemetry?pts=${start}&ticks=${ticks}`);
      if (this.origin !== origin) return; // the stream began anew meanwhile
      this.asked = this.asked.filter((x) => x !== gap);
      this.insert(got.records);
      // What is newer than the server knew of is asked for once more.
      const until = got.until === undefined ? gap[0] : this.place(got.until);
      if (until < gap[1] - 1 && retries > 0) {
        gap[1] = Math.max(gap[0], until + 1);
        window.setTimeout(() => void this.load(from, to, retries - 1), 50);
      }
    } catch {
      this.asked = this.asked.filter((x) => x !== gap); // tried again with the next piece
      return;
    }
    this.loaded.push(gap);
    this.merge();
    this.onLoaded();
  }

  private merge(): void {
    this.loaded.sort((x, y) => x[0] - y[0]);
    const out: [number, number][] = [];
    for (const x of this.loaded) {
      const last = out[out.length - 1];
      if (last && x[0] <= last[1] + 1) last[1] = Math.max(last[1], x[1]);
      else out.push([...x]);
    }
    this.loaded = out;
  }

  private insert(more: Decoded[]): void {
    if (!more.length) return;
    const last = this.records[this.records.length - 1];
    if (!last || this.place(more[0]!.pts) > this.place(last.pts)) {
      this.records.push(...more); // as they come while it plays
      this.bound();
      return;
    }
    const known = new Set(this.records.map((r) => r.pts));
    const fresh = more.filter((r) => r.async || !known.has(r.pts));
    this.records = [...this.records, ...fresh].sort((x, y) => this.place(x.pts) - this.place(y.pts));
    this.bound();
  }

  private bound(): void {
    if (this.records.length > MOST) {
      this.records = this.records.slice(-MOST);
      this.loaded = this.loaded.filter((x) => x[1] > this.place(this.records[0]!.pts));
    }
  }

  /** Forget what lies before the part one can seek to. */
  prune(pts: number): void {
    const first = this.place(pts) - OLDEST;
    const n = this.records.findIndex((r) => this.place(r.pts) >= first);
    if (n < 200) return; // a few at a time cost more than they give back
    this.records.splice(0, n);
    this.loaded = this.loaded.filter((x) => x[1] > first).map(([a, b]) => [Math.max(a, first), b]);
  }

  /**
   * The record of the picture shown at pts: its own, else the last before it; null while that is not known yet,
   * so that no picture is shown with another's.
   */
  at(pts: number): Decoded | undefined | null {
    const t = this.place(pts);
    if (!this.loaded.some(([a, b]) => a <= t && t < b)) return null;
    let lo = 0;
    let hi = this.records.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.place(this.records[mid]!.pts) <= t) lo = mid + 1;
      else hi = mid;
    }
    const r = this.records[lo - 1];
    return r && t - this.place(r.pts) <= OLDEST ? r : undefined;
  }

  async loadTrack(): Promise<void> {
    try {
      const got = await json<{ points: { lat: number; lon: number }[] }>('telemetry/track?points=600');
      this.track = got.points.map((p): Point => [p.lat, p.lon]);
    } catch {
      // the next turn may work
    }
  }
}
