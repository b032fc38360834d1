// One device on the dashboard: made once, then only what changed is written.

import { Signs, undetermined } from './sign-check.js';
import { drawConfidence, drawHour, drawSignal } from './strips.js';
import { lasting } from './words.js';

const PARTS = ['name', 'status', 'activity', 'meta', 'signal', 'waveform', 'confidence', 'hour'];
const template = document.getElementById('tile');

export class Tile {
  visible = false; // on the screen: only then its pictures are drawn
  online = false;
  #parts;
  #signs;

  constructor(name) {
    this.name = name;
    this.element = template.content.firstElementChild.cloneNode(true);
    const part = (kind) => this.element.querySelector(`.${kind}`);
    this.#parts = Object.fromEntries(PARTS.map((kind) => [kind, part(kind)]));
    this.#signs = new Signs(part('signs'), name);
    this.#parts.name.textContent = this.#parts.name.title = name;
    this.element.dataset.device = name;
  }

  update(device, current, now) {
    const { status, activity, meta, signal, confidence, hour } = this.#parts;
    write(this.element.dataset, 'activity', device.activity);
    write(this.element.dataset, 'status', device.online ? 'online' : 'offline');
    write(status, 'textContent', device.online ? 'online' : 'offline');
    write(activity, 'textContent', device.activity);
    write(meta, 'textContent', described(device, current));
    write(signal.dataset, 'state', device.quality);
    write(signal, 'textContent', judged(device));
    this.#signs.update(device.advice);
    if (!this.visible) return;
    drawConfidence(confidence, device.strip);
    drawHour(hour, current ? [...device.segments, current] : device.segments, now);
  }

  /** Draw the device's newest samples. */
  draw(samples) {
    drawSignal(this.#parts.waveform, samples);
  }
}

/** How sure the newest prediction is, and for how long it has been so, or what it may be now. */
function described({ activity, confidence, newest }, current) {
  const sure = confidence === null ? '' : `${Math.round(confidence * 100)} %`;
  if (newest === 'Unknown' && activity !== 'Unknown') return `unsure, ${sure}`;
  if (newest !== null && newest !== activity) return `perhaps ${newest}, ${sure}`;
  const long = current ? `for ${lasting(current.end - current.start)}` : '';
  return [sure, long].filter(Boolean).join(', ') || 'no answer yet';
}

function judged({ advice, quality }) {
  if (undetermined(advice)) return 'Its signs are undetermined: check them below.';
  return advice || `Signal ${quality}`;
}

function write(place, key, value) {
  if (place[key] !== value) place[key] = value;
}
