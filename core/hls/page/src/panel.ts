// The telemetry panel: what people look for first, and every item.

import { byId } from './config';
import { ptsDistance, TICKS } from './clock';
import type { Decoded } from './telemetry';

interface Line {
  label: string;
  keys: string[];
  unit: string;
  digits: number;
}

const LINES: Line[] = [
  { label: 'Latitude', keys: ['sensor_lat_deg'], unit: '°', digits: 6 },
  { label: 'Longitude', keys: ['sensor_lon_deg'], unit: '°', digits: 6 },
  { label: 'Altitude', keys: ['sensor_alt_m', 'sensor_ellipsoid_height_m', 'altitude_agl_m'], unit: 'm', digits: 1 },
  { label: 'Heading', keys: ['platform_heading_deg'], unit: '°', digits: 1 },
  { label: 'Speed', keys: ['platform_ground_speed', 'platform_true_airspeed'], unit: 'm/s', digits: 0 },
  { label: 'Slant range', keys: ['slant_range_m'], unit: 'm', digits: 0 },
  { label: 'Target lat', keys: ['frame_center_lat_deg'], unit: '°', digits: 6 },
  { label: 'Target lon', keys: ['frame_center_lon_deg'], unit: '°', digits: 6 },
  { label: 'Field of view', keys: ['sensor_hfov_deg'], unit: '°', digits: 1 },
  { label: 'Mission', keys: ['mission_id'], unit: '', digits: 0 },
  { label: 'Platform', keys: ['platform_designation', 'platform_tail_number'], unit: '', digits: 0 },
];

export class Panel {
  private cells = new Map<string, HTMLElement>();
  private all = byId('all').querySelector('tbody')!;
  private details = byId('telemetry').querySelector('details')!;
  private last?: Decoded | null;

  constructor() {
    const list = byId('main');
    for (const label of ['Time (UTC)', ...LINES.map((l) => l.label)]) {
      const box = document.createElement('div');
      const dt = document.createElement('dt');
      const dd = document.createElement('dd');
      dt.textContent = label;
      dd.textContent = '–';
      box.append(dt, dd);
      list.append(box);
      this.cells.set(label, dd);
    }
    this.details.addEventListener('toggle', () => {
      this.last = undefined; // drawn anew with the next picture
    });
  }

  show(record: Decoded | undefined | null, pts: number): void {
    byId('age').textContent = record ? Panel.age(record, pts) : record === null ? 'loading' : 'none';
    if (record === this.last) return;
    this.last = record;
    const f = record?.fields ?? {};
    const us = f['timestamp_us'];
    this.cells.get('Time (UTC)')!.textContent =
      typeof us === 'number' ? new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', '') : '–';
    for (const line of LINES) {
      const v = line.keys.map((k) => f[k]).find((x) => x !== undefined);
      this.cells.get(line.label)!.textContent =
        v === undefined ? '–' : typeof v === 'number' ? `${v.toFixed(line.digits)} ${line.unit}` : v;
    }
    if (this.details.open) this.items(f);
  }

  private static age(r: Decoded, pts: number): string {
    if (r.error) return 'unreadable record';
    const ms = (ptsDistance(r.pts, pts) / TICKS) * 1000;
    return r.async ? 'without a time of its own' : ms < 0.5 ? 'of this picture' : `${ms.toFixed(0)} ms before`;
  }

  private items(f: Decoded['fields']): void {
    this.all.replaceChildren(
      ...Object.keys(f)
        .sort()
        .map((k) => {
          const row = document.createElement('tr');
          const name = document.createElement('td');
          const value = document.createElement('td');
          name.textContent = k;
          value.textContent = String(f[k]);
          row.append(name, value);
          return row;
        }),
    );
  }
}
