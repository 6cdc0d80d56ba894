// What the server says about the stream.

export interface Anchor {
  sequence: number; // of the segment it begins with
  pts: number; // 90 kHz ticks modulo 2^33
  start: number; // stream time, seconds
}

export interface Config {
  title: string;
  playlist: string;
  lowLatency: boolean;
  target: number;
  telemetry: boolean;
  markers: boolean;
  post: boolean;
  whep: string;
  epoch?: number;
  anchors?: Anchor[];
}

/** Paths are relative to the page, so that it may live below a prefix. */
export function url(path: string): string {
  return new URL(path.replace(/^\//, ''), document.baseURI).href;
}

export async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(url(path), init);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return (await answer.json()) as T;
}

export function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** HH:MM:SS of a stream time. */
export function clockText(s: number): string {
  const n = Math.max(0, Math.floor(s + 1e-6));
  return [n / 3600, (n / 60) % 60, n % 60].map((v) => String(Math.floor(v)).padStart(2, '0')).join(':');
}
