// The phone's motion sensor: permission, readings, and what is wrong with them in plain words.
// Emits 'sample' (detail: {t, x, y, z}) and 'trouble' (detail: a sentence, or '').

import { trouble } from './trouble.js';

const REPEAT_S = 0.04; // browsers repeat the last reading between new ones: 20 Hz of these stay
const LOOK_S = 0.5;

/**
 * Whether this is an iPhone or iPad, whose signs are opposite. An iPad calls itself a Macintosh,
 * but has a touch screen. That a browser has requestPermission says nothing: Chromium has it, too.
 */
export function hasOppositeSigns() {
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPhone|iPad|iPod/.test(userAgent)) return true;
  return /Macintosh/.test(userAgent) && maxTouchPoints > 1;
}

/** Ask for permission; call it while a tap is handled. Resolves to '' or to what is wrong. */
export async function permission() {
  if (!globalThis.isSecureContext) {
    return 'Browsers give motion to https pages only. Open this page by its https:// address.';
  }
  const kind = globalThis.DeviceMotionEvent;
  if (kind === undefined) return 'This browser has no motion sensor. Try a phone’s browser.';
  try {
    const answer = kind.requestPermission ? await kind.requestPermission() : await asked();
    if (answer !== 'denied') return '';
  } catch (error) {
    if (error.name === 'NotAllowedError') return 'The browser wants a tap on Start before it asks.';
    throw error;
  }
  return (
    'Motion access was refused. Allow motion sensors for this page in the browser’s settings ' +
    '(on an iPhone, close the tab and open it again), then press Start.'
  );
}

/** Where the browser doesn't ask, say whether its settings refuse. */
async function asked() {
  try {
    return (await navigator.permissions.query({ name: 'accelerometer' })).state;
  } catch {
    return 'unknown'; // a browser without this question: readings will tell
  }
}

export class Sensor extends EventTarget {
  #last = null; // the newest sample
  #began = 0; // s, as event.timeStamp counts
  #moved = 0; // when a reading last differed from the one before
  #empty = false; // the newest event had no reading
  #said = '';
  #timer = 0;

  start() {
    this.#last = null;
    this.#empty = false;
    this.#began = this.#moved = performance.now() / 1000;
    addEventListener('devicemotion', this.#take);
    this.#timer = setInterval(() => this.#look(), LOOK_S * 1000);
  }

  stop() {
    removeEventListener('devicemotion', this.#take);
    clearInterval(this.#timer);
    this.#said = '';
  }

  /** After a time without events on purpose, as when the page was hidden. */
  forgive() {
    this.#began = this.#moved = performance.now() / 1000;
  }

  #take = (event) => {
    const { x, y, z } = event.accelerationIncludingGravity ?? {};
    const t = event.timeStamp / 1000;
    this.#empty = ![x, y, z].every(Number.isFinite); // null is no reading, and never a zero
    if (this.#empty) return;
    const last = this.#last;
    const same = last !== null && x === last.x && y === last.y && z === last.z;
    if (!same) this.#moved = t;
    if (last !== null && (t <= last.t || (same && t - last.t < REPEAT_S))) return;
    this.#last = { t, x, y, z };
    this.dispatchEvent(new CustomEvent('sample', { detail: this.#last }));
  };

  #look() {
    if (document.hidden) return;
    const now = performance.now() / 1000;
    const said = trouble({
      silent: now - Math.max(this.#began, this.#last?.t ?? 0),
      still: now - this.#moved,
      empty: this.#empty,
      last: this.#last,
    });
    if (said === this.#said) return;
    this.#said = said;
    this.dispatchEvent(new CustomEvent('trouble', { detail: said }));
  }
}
