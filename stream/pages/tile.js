// One device on the dashboard: made once, then only what changed is written.

import { drawConfidence, drawHour } from './strips.js';
import { lasting } from './words.js';

const template = document.getElementById('tile');

export class Tile {
  visible = false; // on the screen: only then its pictures are drawn
  #parts;

  constructor(name) {
    this.element = template.content.firstElementChild.cloneNode(true);
    const part = (kind) => this.element.querySelector(`.${kind}`);
    this.#parts = Object.fromEntries(
      ['name', 'status', 'activity', 'meta', 'signal', 'confidence', 'hour'].map((k) => [k, part(k)]),
    );
    this.#parts.name.textContent = name;
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
    write(signal, 'textContent', device.advice || `Signal ${device.quality}`);
    if (!this.visible) return;
    drawConfidence(confidence, device.strip);
    drawHour(hour, current ? [...device.segments, current] : device.segments, now);
  }
}

function described(device, current) {
  const sure = device.confidence === null ? '' : `${Math.round(device.confidence * 100)} %`;
  const long = current ? `for ${lasting(current.end - current.start)}` : '';
  return [sure, long].filter(Boolean).join(', ') || 'no answer yet';
}

function write(place, key, value) {
  if (place[key] !== value) place[key] = value;
}
