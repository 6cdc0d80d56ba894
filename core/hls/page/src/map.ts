// A map of our own on a canvas: grid, track, platform, sensor footprint. No tiles, so nothing comes from elsewhere.

import { byId } from './config';
import type { Decoded, Point } from './telemetry';

const STEPS = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 45];
const METRES = 111_320; // of a degree of latitude

/** A longitude brought near another, across the antimeridian. */
function near(lon: number, to: number): number {
  return lon - 360 * Math.round((lon - to) / 360);
}

export class MapView {
  private canvas = byId<HTMLCanvasElement>('chart');
  private center: Point = [0, 0];
  private scale = 0; // pixels a degree of latitude; 0 until something was shown
  private follow = true;
  private record?: Decoded | null;
  private track: Point[] = [];
  /** What is drawn, for who wants to know. */
  shown?: { lat: number; lon: number; x: number; y: number };

  constructor() {
    const button = byId('follow');
    button.addEventListener('click', () => {
      this.setFollow(!this.follow);
      this.draw();
    });
    const pointers = new Map<number, PointerEvent>();
    this.canvas.addEventListener('pointerdown', (e) => {
      pointers.set(e.pointerId, e);
      this.canvas.setPointerCapture(e.pointerId);
    });
    const gone = (e: PointerEvent): void => void pointers.delete(e.pointerId);
    this.canvas.addEventListener('pointerup', gone);
    this.canvas.addEventListener('pointercancel', gone);
    this.canvas.addEventListener('pointermove', (e) => {
      const before = pointers.get(e.pointerId);
      if (!before || !this.scale) return;
      const others = [...pointers.values()].filter((p) => p.pointerId !== e.pointerId);
      const other = others[0];
      if (other) {
        const d0 = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
        const d1 = Math.hypot(e.clientX - other.clientX, e.clientY - other.clientY);
        if (d0 > 0) this.zoom(d1 / d0);
      } else {
        this.center = [
          this.center[0] + (e.clientY - before.clientY) / this.scale,
          this.center[1] - (e.clientX - before.clientX) / (this.scale * this.shrink()),
        ];
        this.setFollow(false);
      }
      pointers.set(e.pointerId, e);
      this.draw();
    });
    this.canvas.addEventListener(
      'wheel',
      (e) => {
        e.preventDefault();
        this.zoom(Math.exp(-e.deltaY / 400));
        this.draw();
      },
      { passive: false },
    );
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  private setFollow(on: boolean): void {
    this.follow = on;
    byId('follow').setAttribute('aria-pressed', String(on));
  }

  private zoom(by: number): void {
    this.scale = Math.min(5e6, Math.max(2, this.scale * by));
  }

  private shrink(): number {
    return Math.max(0.05, Math.cos((this.center[0] * Math.PI) / 180));
  }

  show(record: Decoded | undefined | null, track: Point[]): void {
    this.record = record;
    this.track = track;
    this.draw();
  }

  private static position(r: Decoded | undefined | null): Point | undefined {
    const lat = r?.fields['sensor_lat_deg'];
    const lon = r?.fields['sensor_lon_deg'];
    return typeof lat === 'number' && typeof lon === 'number' ? [lat, lon] : undefined;
  }

  private fit(points: Point[], w: number, h: number): void {
    let [s, n, a, b] = [90, -90, Infinity, -Infinity];
    const lon0 = points[0]![1];
    for (const [lat, lon] of points) {
      s = Math.min(s, lat);
      n = Math.max(n, lat);
      a = Math.min(a, near(lon, lon0));
      b = Math.max(b, near(lon, lon0));
    }
    this.center = [(s + n) / 2, (a + b) / 2];
    const k = this.shrink();
    this.scale = Math.min((0.7 * h) / Math.max(n - s, 1e-4), (0.7 * w) / (Math.max(b - a, 1e-4) * k));
  }

  private draw(): void {
    const w = this.canvas.clientWidth;
    const h = this.canvas.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (!w || !h) return;
    if (this.canvas.width !== Math.round(w * ratio) || this.canvas.height !== Math.round(h * ratio)) {
      this.canvas.width = Math.round(w * ratio);
      this.canvas.height = Math.round(h * ratio);
    }
    const g = this.canvas.getContext('2d');
    if (!g) return;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const css = getComputedStyle(this.canvas);
    const ink = (name: string): string => css.getPropertyValue(name).trim();
    g.clearRect(0, 0, w, h);
    const at = MapView.position(this.record);
    const corners = this.record?.footprint;
    if (!this.scale) {
      const all = [...(at ? [at] : []), ...(corners ?? [])];
      if (!all.length) return;
      this.fit(all, w, h);
    }
    if (at && this.follow) {
      const k = this.shrink();
      const dx = (near(at[1], this.center[1]) - this.center[1]) * k * this.scale;
      const dy = (this.center[0] - at[0]) * this.scale;
      if (Math.abs(dx) > w * 0.4 || Math.abs(dy) > h * 0.4) this.center = [at[0], at[1]];
    }
    const k = this.shrink();
    const xy = (p: Point): [number, number] => [
      w / 2 + (near(p[1], this.center[1]) - this.center[1]) * k * this.scale,
      h / 2 - (p[0] - this.center[0]) * this.scale,
    ];
    this.grid(g, w, h, k, ink('--line'), ink('--muted'));
    const path = (points: Point[], close: boolean): void => {
      g.beginPath();
      points.forEach((p, i) => (i ? g.lineTo(...xy(p)) : g.moveTo(...xy(p))));
      if (close) g.closePath();
    };
    if (this.track.length > 1) {
      path(this.track, false);
      g.strokeStyle = ink('--accent');
      g.globalAlpha = 0.5;
      g.lineWidth = 2;
      g.stroke();
      g.globalAlpha = 1;
    }
    const hit = this.target();
    if (corners) {
      path(corners, true);
      g.fillStyle = ink('--warm');
      g.globalAlpha = 0.22;
      g.fill();
      g.globalAlpha = 1;
      g.strokeStyle = ink('--warm');
      g.lineWidth = 1.5;
      g.stroke();
    }
    if (at && hit) {
      path([at, hit], false);
      g.setLineDash([4, 4]);
      g.strokeStyle = ink('--warm');
      g.lineWidth = 1;
      g.stroke();
      g.setLineDash([]);
      g.beginPath();
      g.arc(...xy(hit), 3, 0, 2 * Math.PI);
      g.fillStyle = ink('--warm');
      g.fill();
    }
    this.shown = undefined;
    if (at) {
      const [x, y] = xy(at);
      this.shown = { lat: at[0], lon: at[1], x, y };
      const heading = Number(this.record?.fields['platform_heading_deg'] ?? NaN);
      g.save();
      g.translate(x, y);
      g.fillStyle = ink('--accent');
      g.strokeStyle = ink('--panel');
      g.lineWidth = 1.5;
      g.beginPath();
      if (Number.isFinite(heading)) {
        g.rotate((heading * Math.PI) / 180);
        g.moveTo(0, -11);
        g.lineTo(7, 8);
        g.lineTo(0, 4);
        g.lineTo(-7, 8);
        g.closePath();
      } else {
        g.arc(0, 0, 6, 0, 2 * Math.PI);
      }
      g.fill();
      g.stroke();
      g.restore();
    }
  }

  private target(): Point | undefined {
    const f = this.record?.fields;
    const lat = f?.['frame_center_lat_deg'];
    const lon = f?.['frame_center_lon_deg'];
    return typeof lat === 'number' && typeof lon === 'number' ? [lat, lon] : undefined;
  }

  private grid(g: CanvasRenderingContext2D, w: number, h: number, k: number, line: string, text: string): void {
    const step = STEPS.find((s) => s * this.scale * k > 80) ?? 45;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    g.strokeStyle = line;
    g.fillStyle = text;
    g.lineWidth = 1;
    g.font = '11px system-ui, sans-serif';
    const [lat0, lon0] = this.center;
    const halfLat = h / 2 / this.scale;
    const halfLon = w / 2 / (this.scale * k);
    g.beginPath();
    for (let i = Math.ceil((lat0 - halfLat) / step); i * step <= lat0 + halfLat; i++) {
      const y = Math.round(h / 2 - (i * step - lat0) * this.scale) + 0.5;
      g.moveTo(0, y);
      g.lineTo(w, y);
      g.fillText(`${(i * step).toFixed(digits)}°`, 4, y - 3);
    }
    for (let i = Math.ceil((lon0 - halfLon) / step); i * step <= lon0 + halfLon; i++) {
      const x = Math.round(w / 2 + (i * step - lon0) * k * this.scale) + 0.5;
      g.moveTo(x, 0);
      g.lineTo(x, h);
      g.fillText(`${near(i * step, 0).toFixed(digits)}°`, x + 3, h - 5);
    }
    g.stroke();
    // A bar of a round length.
    const metres = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6];
    const length = metres.filter((m) => (m / METRES) * this.scale < 90).pop() ?? 1;
    const px = (length / METRES) * this.scale;
    g.fillText(length >= 1000 ? `${length / 1000} km` : `${length} m`, w - px - 10, 14);
    g.strokeStyle = text;
    g.beginPath();
    g.moveTo(w - px - 10, 19.5);
    g.lineTo(w - 10, 19.5);
    g.stroke();
  }
}
