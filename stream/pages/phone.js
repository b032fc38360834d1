// The phone's page: sensor → frames → link, and what the server says → the screen.

import { Awake } from './awake.js';
import { FaceUp } from './face-up.js';
import { frameOf } from './frames.js';
import { Link } from './link.js';
import { isAllowed, recall, remember } from './name.js';
import { Screen } from './screen.js';
import { Sensor, permission } from './sensor.js';
import { recallSigns, rememberSigns } from './signs.js';
import { Teach } from './teach.js';

const FRAME_S = 0.25; // of signal in a frame
const screen = new Screen();
const sensor = new Sensor();
const awake = new Awake();
const teach = new Teach();
const faceUp = new FaceUp();
let link = null;
let samples = []; // not yet in a frame
let hiddenSince = null;
let asking = false; // for permission

screen.name.value = recall();
screen.signs(recallSigns());
screen.name.addEventListener('input', () => {
  const allowed = isAllowed(screen.name.value);
  screen.nameAllowed(allowed);
  if (allowed) remember(screen.name.value);
});
screen.toggle.addEventListener('click', () => (link === null ? start() : stop()));
sensor.addEventListener('sample', ({ detail }) => take(detail));
sensor.addEventListener('trouble', ({ detail }) => screen.trouble('sensor', detail));
document.addEventListener('visibilitychange', onVisibility);
faceUp.addEventListener('signs', ({ detail }) => onSigns(detail));
setInterval(() => onTick(), 500);
if (!globalThis.isSecureContext) permission().then((said) => screen.trouble('permission', said));

async function start() {
  if (!isAllowed(screen.name.value)) return screen.nameAllowed(false);
  if (asking) return; // the button stays enabled, or the keyboard would lose it
  asking = true;
  const refused = await permission().finally(() => (asking = false)); // iOS asks only in the tap
  screen.trouble('permission', refused);
  if (refused) return;
  link = new Link(streamUrl(screen.name.value));
  link.addEventListener('message', ({ detail }) => hear(detail));
  link.addEventListener('state', ({ detail }) => onState(detail));
  screen.streaming(true);
  teach.attach(link, screen.name.value);
  faceUp.attach(screen.name.value);
  sensor.start();
  link.start();
  screen.awake(await awake.hold());
}

function stop() {
  teach.stop();
  sensor.stop();
  flush();
  link.stop(); // which may take until the server is back: its state says so
}

function onState({ name, text }) {
  screen.connection(name, text);
  if (name !== 'done' && name !== 'refused') return;
  link = null;
  samples = [];
  teach.attach(null, screen.name.value);
  faceUp.attach('');
  sensor.stop();
  awake.release();
  screen.trouble('sensor', '');
  screen.streaming(false);
  screen.trouble('link', name === 'refused' ? text : '');
}

function hear(message) {
  if (message.type === 'welcome') teach.recording(message.recording === true);
  if (message.type === 'error' && message.code === 'not-recorded') teach.refused(message.message);
  else screen.hear(message);
}

function onTick() {
  screen.kept(link, FRAME_S);
  teach.show(link === null ? 0 : link.outbox.length * FRAME_S);
}

function onSigns(axes) {
  rememberSigns(axes);
  screen.signs({ axes, checked: true });
}

function take(sample) {
  screen.sample(sample);
  teach.sample(sample);
  faceUp.sample(sample);
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
  url.search = new URLSearchParams({ device, axes: recallSigns().axes });
  return url;
}
