// The table of markers, newest on top, five at a time.

import { byId, clockText } from './config';
import type { Marker } from './markers';

const ROWS = 5;

export class Table {
  private body = byId('rows');
  private first = 0;
  private list: Marker[] = [];
  private shown = new Set<number>();
  private drawn = '';

  constructor(private seek: (m: Marker) => void) {
    byId('newer').addEventListener('click', () => this.turn(-ROWS));
    byId('older').addEventListener('click', () => this.turn(ROWS));
  }

  private turn(by: number): void {
    this.first = Math.max(0, Math.min(this.first + by, this.list.length - 1));
    this.render();
  }

  draw(list: Marker[], version: string): void {
    if (version === this.drawn) return;
    this.drawn = version;
    this.list = list;
    this.first = Math.min(this.first, Math.max(0, list.length - 1));
    this.render();
  }

  private render(): void {
    const focused = document.activeElement?.closest<HTMLElement>('#rows tr')?.dataset['id'];
    const page = [...this.list].reverse().slice(this.first, this.first + ROWS);
    this.body.replaceChildren(
      ...page.map((m) => {
        const row = document.createElement('tr');
        row.id = `marker-${Math.ceil(m.time)}-${m.id}`;
        row.dataset['id'] = String(m.id);
        if (!this.shown.has(m.id)) row.className = 'fresh';
        const time = document.createElement('td');
        const button = document.createElement('button'); // for keys and screen readers; a click anywhere does
        button.type = 'button';
        button.textContent = clockText(m.time);
        time.append(button);
        const text = document.createElement('td');
        text.textContent = m.text; // never as HTML
        row.append(time, text);
        row.addEventListener('click', () => this.seek(m));
        return row;
      }),
    );
    for (const m of page) this.shown.add(m.id);
    if (focused) this.body.querySelector<HTMLElement>(`tr[data-id='${focused}'] button`)?.focus();
    byId('count').textContent = this.list.length ? String(this.list.length) : '';
    byId('pager').hidden = this.list.length <= ROWS;
    byId<HTMLButtonElement>('newer').disabled = this.first === 0;
    byId<HTMLButtonElement>('older').disabled = this.first + ROWS >= this.list.length;
  }
}
