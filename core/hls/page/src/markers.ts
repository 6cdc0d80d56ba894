// Markers: loaded once, then fed by server-sent events.

import { json, url } from './config';

export interface Marker {
  id: number;
  epoch: number;
  time: number;
  text: string;
}

interface Page {
  epoch: number;
  markers: Marker[];
  next: number;
}

export class Markers {
  /** In order of time. */
  list: Marker[] = [];
  epoch = 0;
  /** Changes with the list. */
  version = 0;
  private last = 0;
  private feed?: EventSource;

  constructor(private onEpoch: () => void) {}

  start(): void {
    const feed = new EventSource(url('timeline/events'));
    this.feed = feed;
    feed.addEventListener('epoch', (e) => {
      const { epoch } = JSON.parse((e as MessageEvent<string>).data) as { epoch: number };
      const changed = this.epoch !== 0 && epoch !== this.epoch;
      this.epoch = epoch;
      if (changed) {
        this.list = [];
        this.version++;
        this.onEpoch();
      }
      // The feed begins with what is new from now on: what was before is loaded, also after a gap.
      void this.load();
    });
    feed.addEventListener('marker', (e) => this.add([JSON.parse((e as MessageEvent<string>).data) as Marker]));
    feed.onerror = () => {
      if (feed.readyState !== EventSource.CLOSED || this.feed !== feed) return;
      window.setTimeout(() => this.start(), 2000);
    };
  }

  private async load(): Promise<void> {
    try {
      const page = await json<Page>('timeline');
      this.epoch = page.epoch;
      this.add(page.markers);
    } catch {
      window.setTimeout(() => void this.load(), 2000);
    }
  }

  private add(more: Marker[]): void {
    const known = new Set(this.list.map((m) => m.id));
    const fresh = more.filter((m) => m.epoch === this.epoch && !known.has(m.id));
    for (const m of more) this.last = Math.max(this.last, m.id);
    if (!fresh.length) return;
    this.list = [...this.list, ...fresh].sort((a, b) => a.time - b.time || a.id - b.id);
    this.version++;
  }

  /** Forget what lies before the part one can seek to. */
  prune(start: number): void {
    const keep = this.list.filter((m) => m.time >= start);
    if (keep.length === this.list.length) return;
    this.list = keep;
    this.version++;
  }

  async set(time: number, text: string): Promise<void> {
    const body = JSON.stringify({ time, text });
    this.add([await json<Marker>('markers', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })]);
  }
}
