// The newest seconds of the devices on the screen: asks the server for these and for no others.

import { FINAL, Retry } from './retry.js';
import { ask, introduce } from './token.js';
import { SECONDS } from './waveform.js';

const SETTLE_MS = 250; // while somebody scrolls, nothing is asked
const MOST = 100; // devices: their names are in the address
const SILENT_MS = 2000; // then another session of the device is shown

export class Waves {
  #tell;
  #wanted = []; // names
  #asked = new Set(); // names that the socket was opened for
  #socket = null;
  #before = null; // the socket that this one replaces
  #settling = 0;
  #waves = new Map(); // by device: {session, heard, samples}, ms and {t, x, y, z}
  #retry = new Retry();

  /** `tell(name)`: there are new samples of that device. */
  constructor(tell) {
    this.#tell = tell;
    document.addEventListener('visibilitychange', () => this.#settle());
  }

  /** Say which devices are on the screen now. */
  want(names) {
    this.#wanted = names.slice(0, MOST);
    this.#settle();
  }

  /** The newest samples of a device, oldest first. */
  of(name) {
    return this.#waves.get(name)?.samples ?? [];
  }

  #settle() {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#turn(), SETTLE_MS);
  }

  /** Ask anew where the screen shows a device that was not asked for; hidden, ask for nothing. */
  #turn() {
    if (document.hidden || this.#wanted.length === 0) this.#leave();
    else if (!this.#socket || this.#wanted.some((name) => !this.#asked.has(name))) this.#open();
  }

  #open() {
    this.#before ??= this.#socket; // goes on until the new one stands, so that nothing is missing
    const url = new URL('/v1/events', location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    url.search = new URLSearchParams({ type: 'waveform', device: this.#wanted.join(',') });
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#asked = new Set(this.#wanted);
    for (const name of this.#waves.keys()) if (!this.#asked.has(name)) this.#waves.delete(name);
    socket.onopen = () => {
      if (socket !== this.#socket) return socket.close(); // another was asked for meanwhile
      introduce(socket);
      this.#leaveBefore();
    };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  #leaveBefore() {
    this.#before?.close();
    this.#before = null;
  }

  #leave() {
    this.#leaveBefore();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return; // replaced
    this.#leaveBefore(); // what is asked for next replaces both
    this.#socket = null;
    if (code === 4401) ask('This server asks for a token.').then(() => this.#settle());
    if (!(code in FINAL)) setTimeout(() => this.#settle(), this.#retry.next() * 1000);
  }

  #take({ type, device, session, t0, rate_hz: rateHz, xyz }) {
    this.#retry.reset();
    if (type !== 'waveform') return;
    const now = performance.now();
    let wave = this.#waves.get(device);
    if (wave?.session !== session) {
      if (wave && now - wave.heard < SILENT_MS) return; // one of two at the same time
      wave = { session, heard: now, samples: [] };
      this.#waves.set(device, wave);
    }
    wave.heard = now;
    append(wave.samples, t0, rateHz, xyz);
    this.#tell(device);
  }
}

/** Add what is newer, as {t, x, y, z}, and drop what is too old to be drawn. */
function append(samples, t0, rateHz, xyz) {
  if (t0 < samples.at(-1)?.t - 1) samples.length = 0; // the device's clock ran back
  const newest = samples.at(-1)?.t ?? -Infinity;
  xyz.forEach(([x, y, z], k) => {
    const t = t0 + k / rateHz;
    if (t > newest + 0.5 / rateHz) samples.push({ t, x, y, z });
  });
  const kept = samples.findIndex(({ t }) => t >= samples.at(-1).t - SECONDS);
  samples.splice(0, kept);
}
