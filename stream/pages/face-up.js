// The check which way is up: waits until the phone lies still, and asks the server.
// Emits 'signs' (detail: the axes that were found).

import { authorization } from './token.js';

const LAY_S = 5; // to lay it down
const STILL_S = 4.5; // of readings that the server looks at, and a little
const PATIENCE_S = 25; // until it lies still
const STILL = 1; // m/s² that a reading may differ by
const LOOK_S = 0.25;

const element = (id) => document.getElementById(id);
const seconds = () => performance.now() / 1000;

export class FaceUp extends EventTarget {
  #samples = []; // of the last STILL_S
  #device = ''; // '' while nothing streams
  #began = 0;
  #timer = 0;

  constructor() {
    super();
    element('up-check').addEventListener('click', () => this.#start());
  }

  /** Check `device` from now on; '': nothing streams. */
  attach(device) {
    this.#device = device;
    this.#samples = [];
    if (!device && this.#timer) this.#end('Streaming stopped: nothing was checked.');
  }

  sample(sample) {
    this.#samples.push(sample);
    while (this.#samples[0].t < sample.t - STILL_S) this.#samples.shift();
  }

  #start() {
    if (!this.#device) return this.#end('Press Start first: the server checks what it receives.');
    if (this.#timer) return;
    this.#began = seconds();
    this.#timer = setInterval(() => this.#look(), LOOK_S * 1000);
    element('up-said').textContent = 'Lay it on its back, screen up, and let go.';
  }

  #look() {
    const passed = seconds() - this.#began;
    const left = Math.ceil(LAY_S - passed);
    element('up-check').textContent = left > 0 ? `Checking in ${left} s …` : 'Waiting until it lies still …';
    if (left > 0) return;
    if (isStill(this.#samples)) this.#ask();
    else if (passed > PATIENCE_S) this.#end('It never lay still: nothing was checked. Try again.');
  }

  async #ask() {
    clearInterval(this.#timer);
    let answer;
    try {
      const path = `/v1/devices/${this.#device}/face-up`;
      const response = await fetch(path, { method: 'POST', headers: authorization() });
      answer = await response.json();
      if (!response.ok) return this.#end(`It can’t be told: ${answer.detail}.`);
    } catch {
      return this.#end('The server can’t be reached: nothing was checked.');
    }
    this.dispatchEvent(new CustomEvent('signs', { detail: answer.axes }));
    this.#end(
      answer.axes === answer.before
        ? `It was right already: on its back it reads z = ${answer.z.toFixed(1)} m/s².`
        : 'The signs were the wrong way round. The server turns them from now on.',
    );
  }

  #end(text) {
    clearInterval(this.#timer);
    this.#timer = 0;
    element('up-check').textContent = 'Check which way is up';
    element('up-said').textContent = text;
  }
}

/** Whether readings of nearly STILL_S hardly differ. */
function isStill(samples) {
  if (samples.length < 2 || samples.at(-1).t - samples[0].t < STILL_S - LOOK_S) return false;
  return ['x', 'y', 'z'].every((axis) => {
    const values = samples.map((sample) => sample[axis]);
    return Math.max(...values) - Math.min(...values) <= STILL;
  });
}
