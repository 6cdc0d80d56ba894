// The table of markers, newest on top, five at a time.

import { byId, clockText } from './config';
import type { Marker } from './markers';

const ROWS = 5;

export class Table {
  private body = byId('rows');
  private first = 0;
  private list: Marker[] = [];
  private shown = new Set<number>();
  private drawn = -1;

  constructor(private seek: (m: Marker) => void) {
    byId('newer').addEventListener('click', () => this.turn(-ROWS));
    byId('older').addEventListener('click', () => this.turn(ROWS));
  }

  private turn(by: number): void {
    this.first = Math.max(0, Math.min(this.first + by, this.list.length - 1));
    this.render();
  }

  draw(list: Marker[], version: number): void {
    if (version === this.drawn) return;
    this.drawn = version;
    this.list = list;
    this.first = Math.min(this.first, Math.max(0, list.length - 1));
    this.render();
  }

  private render(): void {
    const page = [...this.list].reverse().slice(this.first, this.first + ROWS);
    this.body.replaceChildren(
      ...page.map((m) => {
        const row = document.createElement('tr');
        row.id = `marker-${Math.ceil(m.time)}-${m.id}`;
        row.dataset['id'] = String(m.id);
        row.tabIndex = 0;
        if (!this.shown.has(m.id)) row.className = 'fresh';
        const time = document.createElement('td');
        time.textContent = clockText(m.time);
        const text = document.createElement('td');
        text.textContent = m.text; // never as HTML
        row.append(time, text);
        row.addEventListener('click', () => this.seek(m));
        row.addEventListener('keydown', (e) => {
          if (e.key === 'Enter') this.seek(m);
        });
        return row;
      }),
    );
    for (const m of page) this.shown.add(m.id);
    byId('count').textContent = this.list.length ? String(this.list.length) : '';
    byId('pager').hidden = this.list.length <= ROWS;
    byId<HTMLButtonElement>('newer').disabled = this.first === 0;
    byId<HTMLButtonElement>('older').disabled = this.first + ROWS >= this.list.length;
  }
}
