// The timeline: position, buffered part, markers; drag and keys seek.

import { byId, clockText } from './config';
import type { Marker } from './markers';

export interface View {
  start: number; // stream time of the seekable part
  end: number;
  now: number;
  buffered: [number, number][];
}

export class Bar {
  private el = byId('bar');
  private ticks = byId('ticks');
  private hint = byId<HTMLOutputElement>('hint');
  private view: View = { start: 0, end: 0, now: 0, buffered: [] };
  private dragging = false;
  private drawn = '';

  constructor(
    private seek: (stream: number) => void,
    private seekMarker: (m: Marker) => void,
  ) {
    this.el.addEventListener('pointerdown', (e) => {
      if ((e.target as HTMLElement).closest('button')) return;
      this.dragging = true;
      this.el.setPointerCapture(e.pointerId);
      this.seek(this.at(e));
    });
    this.el.addEventListener('pointermove', (e) => {
      this.hint.hidden = false;
      this.hint.textContent = clockText(this.at(e));
      this.hint.style.left = `${this.share(this.at(e)) * 100}%`;
      if (this.dragging) this.seek(this.at(e));
    });
    const end = (): void => {
      this.dragging = false;
    };
    this.el.addEventListener('pointerup', end);
    this.el.addEventListener('pointercancel', end);
    this.el.addEventListener('pointerleave', () => {
      this.hint.hidden = true;
    });
  }

  private at(e: PointerEvent): number {
    const box = this.el.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
    return this.view.start + share * (this.view.end - this.view.start);
  }

  private share(stream: number): number {
    const d = this.view.end - this.view.start;
    return d > 0 ? (stream - this.view.start) / d : 0;
  }

  draw(view: View, markers: Marker[], version: string): void {
    this.view = view;
    const percent = (stream: number): string => `${Math.min(1, Math.max(0, this.share(stream))) * 100}%`;
    byId('played').style.width = percent(view.now);
    byId('knob').style.left = percent(view.now);
    const held = view.buffered[view.buffered.length - 1];
    const buffered = byId('buffered');
    buffered.style.left = held ? percent(held[0]) : '0';
    buffered.style.right = held ? `${100 - parseFloat(percent(held[1]))}%` : '100%';
    this.el.setAttribute('aria-valuemax', String(Math.round(view.end - view.start)));
    this.el.setAttribute('aria-valuenow', String(Math.round(view.now - view.start)));
    this.el.setAttribute('aria-valuetext', clockText(view.now));
    this.marks(markers, version);
  }

  /** One button a marker; those that would overlap share one. */
  private marks(markers: Marker[], version: string): void {
    const width = this.el.clientWidth || 1;
    const key = `${version} ${width} ${this.view.start.toFixed(3)} ${this.view.end.toFixed(3)}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const groups: Marker[][] = [];
    let last = -10;
    for (const m of markers) {
      const share = this.share(m.time);
      if (share < 0 || share > 1) continue; // hidden outside of what one can seek to
      const x = share * width;
      if (x - last < 4 && groups.length) groups[groups.length - 1]!.push(m);
      else {
        groups.push([m]);
        last = x;
      }
    }
    while (this.ticks.children.length > groups.length) this.ticks.lastElementChild!.remove();
    groups.forEach((g, i) => {
      let b = this.ticks.children[i] as HTMLButtonElement | undefined;
      if (!b) {
        b = document.createElement('button');
        b.type = 'button';
        b.tabIndex = -1;
        b.addEventListener('click', (e) => {
          const m = (e.currentTarget as HTMLButtonElement & { marker?: Marker }).marker;
          if (m) this.seekMarker(m);
        });
        this.ticks.append(b);
      }
      const m = g[0]!;
      (b as HTMLButtonElement & { marker?: Marker }).marker = m;
      b.style.left = `${this.share(m.time) * 100}%`;
      b.dataset['id'] = String(m.id);
      b.title = g.map((x) => `${clockText(x.time)} ${x.text}`).slice(0, 8).join('\n');
      b.setAttribute('aria-label', b.title);
    });
  }
}
