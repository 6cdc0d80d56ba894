// Which markers are shown: those whose text has what is looked for.

import { byId } from './config';
import type { Marker, Markers } from './markers';

export class Filter {
  private input = byId<HTMLInputElement>('filter');
  private seen = ''; // what `result` was made of
  private result: { list: Marker[]; version: string } = { list: [], version: '' };

  constructor() {
    this.input.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      this.input.value = '';
      this.input.blur();
    });
  }

  of(markers: Markers): { list: Marker[]; version: string } {
    const wanted = this.input.value.trim().toLowerCase();
    const key = `${markers.version} ${wanted}`;
    if (key !== this.seen) {
      this.seen = key;
      const list = wanted ? markers.list.filter((m) => m.text.toLowerCase().includes(wanted)) : markers.list;
      this.result = { list, version: key };
    }
    return this.result;
  }
}
