// The pictures of a tile: its signal, how sure the last predictions were, the last hour's segments.

import { drawWaveform } from './waveform.js';

const HOUR_MS = 3_600_000;
const BARS = 30;
const colours = new Map(); // by name, as the theme has them now

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.clear());

function colour(name) {
  let known = colours.get(name);
  if (known === undefined) {
    known = getComputedStyle(document.documentElement).getPropertyValue(name);
    colours.set(name, known);
  }
  return known;
}

/** The colour of an activity; a model's own activities share one. */
function shade(activity) {
  return colour(`--${activity.toLowerCase()}`) || colour('--accent');
}

function prepared(canvas) {
  const scale = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

/** Draw the last seconds, samples {t, x, y, z}. */
export function drawSignal(canvas, samples) {
  const [context, width, height] = prepared(canvas);
  drawWaveform(context, width, height, samples, colour);
}

/** Draw a bar a prediction, newest at the right, as high as it is sure. */
export function drawConfidence(canvas, strip) {
  const [context, width, height] = prepared(canvas);
  const step = width / BARS;
  strip.forEach(({ activity, confidence }, k) => {
    const high = Math.max(confidence * height, 1);
    context.fillStyle = shade(activity);
    context.fillRect(width - (strip.length - k) * step + 1, height - high, step - 2, high);
  });
}

/** Draw the last hour, now at the right. */
export function drawHour(canvas, segments, now) {
  const [context, width, height] = prepared(canvas);
  for (const { activity, start, end } of segments) {
    const left = width * (1 - (now - start) / HOUR_MS);
    const right = width * (1 - (now - end) / HOUR_MS);
    if (right <= 0) continue;
    context.fillStyle = shade(activity);
    context.fillRect(Math.max(left, 0), 0, Math.max(right - Math.max(left, 0), 1), height);
  }
}
