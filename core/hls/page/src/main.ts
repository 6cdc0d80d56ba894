import './style.css';
import { Bar } from './bar';
import { Clock } from './clock';
import { byId, clockText, json, url, type Config } from './config';
import { MapView } from './map';
import { Filter } from './filter';
import { Markers, type Marker } from './markers';
import { Panel } from './panel';
import { HlsPlayer, type Player } from './player';
import { Table } from './table';
import { Telemetry, type Decoded } from './telemetry';

/** So far into a picture a seek aims: times are rounded to the player's clock, and a picture begins at its time. */
const INTO = 0.002;

const video = byId<HTMLVideoElement>('video');

async function config(): Promise<Config> {
  for (;;) {
    try {
      return await json<Config>('page.json');
    } catch {
      await new Promise((done) => window.setTimeout(done, 1000));
    }
  }
}

function theme(): void {
  const root = document.documentElement;
  const dark = root.dataset['theme'] ? root.dataset['theme'] === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset['theme'] = dark ? 'light' : 'dark';
  try {
    localStorage.setItem('theme', root.dataset['theme']);
  } catch {
    // kept for this visit only
  }
}

async function main(): Promise<void> {
  try {
    const kept = localStorage.getItem('theme');
    if (kept) document.documentElement.dataset['theme'] = kept;
  } catch {
    // no storage
  }
  let cfg = await config();
  document.title = cfg.title;
  byId('title').textContent = cfg.title;
  byId('set').hidden = !cfg.post;
  byId('markers').hidden = !cfg.markers;

  const clock = new Clock(cfg.target);
  clock.reset(cfg.anchors);
  const telemetry = new Telemetry(() => picture(media));
  const map = new MapView();
  const panel = new Panel();
  let record: Decoded | undefined | null;
  let media = 0; // of the picture shown

  const notice = (text: string): void => {
    const el = byId('notice');
    el.hidden = !text;
    el.textContent = text;
  };
  const waiting: [number, number][] = [];
  const load = (): void => {
    for (const [from, to] of waiting.splice(0)) {
      const [a, b] = [clock.pts(from), clock.pts(to)];
      if (a !== undefined && b !== undefined) void telemetry.load(a, b);
    }
  };
  const player: Player = new HlsPlayer(video, url(cfg.playlist), clock, cfg.lowLatency, {
    ready(from, to) {
      if (cfg.telemetry) {
        waiting.push([from, to]);
        load();
      }
      if (!clock.known) void renew();
    },
    notice,
  });

  // How the clocks lie changes when the source's clock is set anew.
  let asked = 0;
  async function renew(): Promise<void> {
    if (performance.now() - asked < 500) return;
    asked = performance.now();
    cfg = await config();
    clock.anchors = cfg.anchors;
  }
  window.setInterval(() => void renew(), 5000);

  const markers = new Markers(() => {
    // The stream began anew: nothing that was known of its times holds.
    void config().then((c) => {
      cfg = c;
      clock.reset(c.anchors);
      telemetry.clear();
      player.reload();
    });
  });
  if (cfg.markers) markers.start();

  const seekMedia = (to: number): void => {
    const [start, end] = player.range();
    video.currentTime = Math.min(Math.max(to, start), Math.max(start, end - 0.05));
  };
  const seekStream = (to: number): void => {
    const at = clock.media(to);
    if (at !== undefined) seekMedia(at + INTO);
  };
  const seekMarker = (m: Marker): void => seekStream(m.time);
  const bar = new Bar(seekStream, seekMarker);
  const filter = new Filter();
  const table = new Table(seekMarker);
  const toggle = (): void => void (video.paused ? video.play().catch(() => undefined) : video.pause());
  const set = (): void => {
    const input = byId<HTMLInputElement>('text');
    const now = clock.stream(media);
    if (!cfg.post || now === undefined) return;
    markers.set(now, input.value.trim() || 'Marker').then(
      () => (input.value = ''),
      (e: Error) => notice(`The marker was not kept: ${e.message}`),
    );
  };
  const step = (by: number): void => {
    video.pause();
    seekMedia(video.currentTime + by);
  };
  const jump = (by: 1 | -1): void => {
    const now = clock.stream(media) ?? 0;
    const found = filter.of(markers).list;
    const list = by > 0 ? found : [...found].reverse();
    const next = list.find((m) => (by > 0 ? m.time > now + 0.1 : m.time < now - 0.5));
    if (next) seekMarker(next);
  };
  const mute = (): void => {
    video.muted = !video.muted;
    byId('mute').classList.toggle('on', !video.muted);
    byId('mute').setAttribute('aria-pressed', String(!video.muted));
  };
  const full = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void byId('player').requestFullscreen?.().catch(() => undefined);
  };
  const keys: Record<string, () => void> = {
    ' ': toggle, k: toggle, ArrowLeft: () => seekMedia(video.currentTime - 5), ArrowRight: () => seekMedia(video.currentTime + 5),
    j: () => seekMedia(video.currentTime - 30), ',': () => step(-1 / 30), '.': () => step(1 / 30),
    Home: () => seekMedia(player.range()[0] + 0.1), End: () => player.goLive(), l: () => player.goLive(), m: set, s: mute, f: full,
    t: theme, n: () => jump(1), p: () => jump(-1), '/': () => byId('filter').focus(),
  };
  document.addEventListener('keydown', (e) => {
    const target = e.target as HTMLElement;
    if (e.ctrlKey || e.metaKey || e.altKey || target.closest('input')) return;
    if (e.key === ' ' && target.closest('button, summary')) return; // its own meaning
    const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });
  const on = (id: string, act: () => void): void => byId(id).addEventListener('click', act);
  on('play', toggle);
  on('back', () => seekMedia(video.currentTime - 5));
  on('forward', () => seekMedia(video.currentTime + 5));
  on('live', () => player.goLive());
  on('mute', mute);
  on('full', full);
  on('theme', theme);
  on('screen', toggle);
  byId('set').addEventListener('submit', (e) => {
    e.preventDefault();
    set();
  });

  // Every picture: which one it is, and what belongs to it.
  function picture(at: number): void {
    media = at;
    clock.tie(at);
    const pts = clock.pts(at);
    if (cfg.telemetry && pts !== undefined) {
      load();
      record = telemetry.at(pts);
      const there = !!record || telemetry.track.length > 0;
      if (there && byId('map').hidden) byId('map').hidden = byId('telemetry').hidden = false;
      if (!byId('map').hidden) {
        map.show(record, telemetry.track);
        panel.show(record, pts);
      }
    }
    const stream = clock.stream(at);
    byId('time').textContent = stream === undefined ? '--:--:--' : `${clockText(stream)}.${Math.floor((stream % 1) * 10)}`;
  }
  if ('requestVideoFrameCallback' in HTMLVideoElement.prototype) {
    const each = (_: number, m: VideoFrameCallbackMetadata): void => {
      picture(m.mediaTime);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  } else {
    video.addEventListener('timeupdate', () => picture(video.currentTime));
  }

  // The rest a few times a second.
  const refresh = (): void => {
    byId('play').textContent = video.paused ? '▶' : '❚❚';
    const [start, end] = player.range();
    if (end <= start) return;
    clock.tie(media || video.currentTime);
    const behind = player.edge() - video.currentTime;
    const live = behind < 1.5 && !video.paused;
    byId('live').classList.toggle('on', live);
    byId('status').textContent = live ? 'live' : `${Math.max(0, behind).toFixed(0)} s behind live`;
    const s = clock.stream(start);
    if (s === undefined) return;
    const shift = s - start;
    markers.prune(s);
    const oldest = clock.steady ? clock.pts(start) : undefined;
    if (oldest !== undefined) telemetry.prune(oldest);
    const buffered: [number, number][] = [];
    for (let i = 0; i < video.buffered.length; i++) {
      const [a, b] = [video.buffered.start(i), video.buffered.end(i)];
      if (a <= video.currentTime + 0.5 && b >= video.currentTime - 0.5) buffered.push([a + shift, b + shift]);
    }
    const { list, version } = filter.of(markers);
    bar.draw({ start: s, end: end + shift, now: video.currentTime + shift, buffered }, list, version);
    table.draw(list, version);
  };
  window.setInterval(refresh, 100);
  if (cfg.telemetry) {
    void telemetry.loadTrack();
    window.setInterval(() => void telemetry.loadTrack(), 3000);
  }

  // For who embeds the page, and for tests: what is shown right now.
  Object.defineProperty(window, 'tstransPage', {
    value: {
      get picture() {
        return { media, pts: clock.pts(media), stream: clock.stream(media), record, shown: map.shown };
      },
      get markers() {
        return markers.list;
      },
      get range() {
        return player.range().map((x) => clock.stream(x));
      },
      get dateRanges() {
        return player.dateRanges();
      },
      get behind() {
        return player.range()[1] - video.currentTime;
      },
      seek: seekStream,
      goLive: () => player.goLive(),
    },
  });
}

void main();
