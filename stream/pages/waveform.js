// The last seconds of the signal, drawn. Draws once a screen refresh at most.

const SECONDS = 6;
const RANGE = 25; // m/s² up and down
const CALM_MS = 1000; // between two pictures, for who asked for less motion

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
    context.strokeStyle = style.getPropertyValue('--line');
    context.lineWidth = 1;
    for (const share of [0.1, 0.5, 0.9]) line(context, [[0, height * share], [width, height * share]]);
    const newest = this.#samples.at(-1)?.t ?? 0;
    context.lineWidth = 1.75;
    context.lineJoin = 'round';
    for (const axis of ['x', 'y', 'z']) {
      context.strokeStyle = style.getPropertyValue(`--axis-${axis}`);
      line(context, this.#samples.map((sample) => [
        width * (1 - (newest - sample.t) / SECONDS),
        (height / 2) * (1 - Math.max(-1, Math.min(1, sample[axis] / RANGE))),
      ]));
    }
  }
}

function line(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}
