// The phone's page: sensor → frames → link, and what the server says → the screen.

import { Awake } from './awake.js';
import { frameOf } from './frames.js';
import { Link } from './link.js';
import { isAllowed, recall, remember } from './name.js';
import { Screen } from './screen.js';
import { Sensor, hasOppositeSigns, permission } from './sensor.js';

const FRAME_S = 0.25; // of signal in a frame
const axes = hasOppositeSigns() ? 'ios' : 'android';
const screen = new Screen();
const sensor = new Sensor();
const awake = new Awake();
let link = null;
let samples = []; // not yet in a frame
let hiddenSince = null;

screen.name.value = recall();
screen.signs(axes);
screen.name.addEventListener('input', () => {
  const allowed = isAllowed(screen.name.value);
  screen.nameAllowed(allowed);
  if (allowed) remember(screen.name.value);
});
screen.toggle.addEventListener('click', () => (link === null ? start() : stop()));
sensor.addEventListener('sample', ({ detail }) => take(detail));
sensor.addEventListener('trouble', ({ detail }) => screen.trouble('sensor', detail));
document.addEventListener('visibilitychange', onVisibility);
setInterval(() => screen.kept(link, FRAME_S), 500);
if (!globalThis.isSecureContext) permission().then((said) => screen.trouble('permission', said));

async function start() {
  if (!isAllowed(screen.name.value)) return screen.nameAllowed(false);
  screen.toggle.disabled = true;
  const refused = await permission(); // first of all: iOS asks only while it handles the tap
  screen.toggle.disabled = false;
  screen.trouble('permission', refused);
  if (refused) return;
  link = new Link(streamUrl(screen.name.value));
  link.addEventListener('message', ({ detail }) => screen.hear(detail));
  link.addEventListener('state', ({ detail }) => onState(detail));
  screen.streaming(true);
  sensor.start();
  link.start();
  screen.awake(await awake.hold());
}

function stop() {
  sensor.stop();
  flush();
  link.stop(); // which may take until the server is back: its state says so
}

function onState({ name, text }) {
  screen.connection(name, text);
  if (name !== 'done' && name !== 'refused') return;
  link = null;
  samples = [];
  sensor.stop();
  awake.release();
  screen.trouble('sensor', '');
  screen.streaming(false);
  screen.trouble('link', name === 'refused' ? text : '');
}

function take(sample) {
  screen.sample(sample);
  samples.push(sample);
  if (sample.t - samples[0].t >= FRAME_S) flush();
}

function flush() {
  if (samples.length > 0) link.send(frameOf(samples));
  samples = [];
}

async function onVisibility() {
  if (link === null) return;
  if (document.hidden) {
    flush();
    hiddenSince = performance.now();
  } else if (hiddenSince !== null) {
    const seconds = Math.round((performance.now() - hiddenSince) / 1000);
    sensor.forgive();
    screen.wasHidden(seconds);
    screen.awake(await awake.hold());
  }
}

function streamUrl(device) {
  const url = new URL('/v1/stream', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = new URLSearchParams({ device, axes });
  return url;
}
