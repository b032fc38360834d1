// The last seconds of the signal, drawn. Draws once a screen refresh at most.

export const SECONDS = 6;
export const CALM_MS = 1000; // between two pictures, for who asked for less motion
const RANGE = 25; // m/s² up and down
const GAP_S = 1; // longer silence is no line

export class Waveform {
  #canvas;
  #samples = [];
  #asked = false;
  #drawn = 0;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(canvas) {
    this.#canvas = canvas;
    const redraw = () => this.#ask();
    new ResizeObserver(redraw).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  }

  add(sample) {
    this.#samples.push(sample);
    while (this.#samples[0].t < sample.t - SECONDS) this.#samples.shift();
    this.#ask();
  }

  clear() {
    this.#samples = [];
    this.#ask();
  }

  #ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame((now) => {
      this.#asked = false;
      if (this.#calm.matches && now - this.#drawn < CALM_MS && this.#samples.length) return;
      this.#drawn = now;
      this.#draw();
    });
  }

  #draw() {
    const canvas = this.#canvas;
    const scale = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    drawWaveform(context, width, height, this.#samples, (name) => style.getPropertyValue(name));
  }
}

/** Draw samples {t, x, y, z}, the newest at the right; `colour(name)` gives a colour of the theme. */
export function drawWaveform(context, width, height, samples, colour) {
  context.strokeStyle = colour('--line');
  context.lineWidth = 1;
  context.beginPath();
  for (const share of [0.1, 0.5, 0.9]) {
    context.moveTo(0, height * share);
    context.lineTo(width, height * share);
  }
  context.stroke();
  context.lineWidth = 1.75;
  context.lineJoin = 'round';
  for (const axis of ['x', 'y', 'z']) {
    context.strokeStyle = colour(`--axis-${axis}`);
    line(context, width, height, samples, axis);
  }
}

function line(context, width, height, samples, axis) {
  const newest = samples.at(-1)?.t ?? 0;
  let before = -Infinity;
  context.beginPath();
  for (const sample of samples) {
    const x = width * (1 - (newest - sample.t) / SECONDS);
    const y = (height / 2) * (1 - Math.max(-1, Math.min(1, sample[axis] / RANGE)));
    if (sample.t - before > GAP_S) context.moveTo(x, y);
    else context.lineTo(x, y);
    before = sample.t;
  }
  context.stroke();
}
