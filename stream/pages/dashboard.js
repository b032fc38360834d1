// The dashboard: feed → fleet → screen, once a screen refresh, and only what changed.

import { Feed, midnight } from './feed.js';
import { Fleet } from './fleet.js';
import { Row } from './row.js';
import { writeMinutes, writeSegments } from './tables.js';
import { Tile } from './tile.js';
import { CALM_MS } from './waveform.js';
import { Waves } from './waves.js';

const TICK_MS = 5000; // durations and the hour go on by themselves
const element = (id) => document.getElementById(id);
const row = new Row(element('devices'));
const filter = element('filter');
const shown = new IntersectionObserver(onShown, { rootMargin: '200px' });
const tiles = new Map(); // by device
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const waves = new Waves((name) => ask(moved.add(name)));
const moved = new Set(); // devices with new samples
let drawn = 0; // when samples were drawn last
let calming = 0;
const feed = new Feed(onMessage, onConnection);
let fleet = new Fleet(midnight().getTime());
let day = midnight().getTime();
let written = -1; // segments there had been when the tables were written
let frame = 0;

filter.addEventListener('input', () => refresh());
addEventListener('resize', () => refresh());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => refresh());
setInterval(tick, TICK_MS);
feed.start();

function onMessage(message) {
  if (message.device === undefined) return;
  fleet.hear(message);
  ask();
}

function onConnection(name, text) {
  const { dataset } = element('connection');
  if (name === 'open' && dataset.state !== 'open') fleet.begin();
  element('connection').textContent = text;
  dataset.state = name;
  refresh();
}

function onShown(entries) {
  for (const { target, isIntersecting } of entries) {
    const name = target.dataset.device;
    const [tile, device] = [tiles.get(name), fleet.devices.get(name)];
    if (!tile || !device) continue; // gone meanwhile
    tile.visible = isIntersecting;
    if (isIntersecting) fleet.dirty.add(device);
    if (isIntersecting) moved.add(name);
  }
  waves.want([...tiles.values()].filter((tile) => tile.visible).map((tile) => tile.name));
  ask();
}

/** Have everything written anew, as after a change of the filter. */
function refresh() {
  for (const device of fleet.devices.values()) fleet.dirty.add(device);
  for (const name of tiles.keys()) moved.add(name);
  written = -1;
  ask();
}

function tick() {
  if (midnight().getTime() !== day) return location.reload(); // a new day
  refresh();
}

function ask() {
  if (frame === 0) frame = requestAnimationFrame(write);
}

function write() {
  frame = 0;
  const now = Date.now() + feed.skew;
  const words = filter.value.trim().toLowerCase();
  const chosen = (device) => matches(device.name, device.activity, words);
  for (const device of fleet.dirty) {
    const tile = tiles.get(device.name) ?? new Tile(device.name);
    const hidden = !chosen(device);
    if (tile.element.hidden !== hidden) tile.element.hidden = hidden;
    tile.online = device.online;
    if (!hidden) tile.update(device, fleet.current(device, now), now);
    row.settle(tile);
    if (!tiles.has(tile.name)) add(tile);
  }
  fleet.gone.forEach(remove);
  if (fleet.dirty.size + fleet.gone.size > 0 || written < 0) count();
  fleet.dirty.clear();
  fleet.gone.clear();
  draw();
  if (written !== fleet.told) tables(words, chosen, now);
}

function tables(words, chosen, now) {
  written = fleet.told;
  const wanted = ({ device, activity }) => matches(device, activity, words);
  writeSegments(element('segments'), fleet.segments, wanted);
  writeMinutes(element('minutes'), fleet.today(chosen, now));
  element('no-segments').hidden = element('segments').children.length > 0;
  element('no-minutes').hidden = element('minutes').children.length > 0;
}

function matches(device, activity, words) {
  return words === '' || `${device} ${activity}`.toLowerCase().includes(words);
}

function add(tile) {
  tiles.set(tile.name, tile);
  shown.observe(tile.element);
}

function remove(name) {
  const tile = tiles.get(name);
  if (!tile) return;
  tiles.delete(name);
  shown.unobserve(tile.element);
  row.remove(tile);
}

/** Draw new samples on the screen; all at once and seldom for who asked for less motion. */
function draw() {
  if (moved.size === 0) return;
  const wait = calm.matches ? drawn + CALM_MS - performance.now() : 0;
  if (wait > 0) {
    clearTimeout(calming);
    calming = setTimeout(ask, wait);
    return;
  }
  for (const name of moved) {
    const tile = tiles.get(name);
    if (tile?.visible && !tile.element.hidden) tile.draw(waves.of(name));
  }
  moved.clear();
  drawn = performance.now();
}

function count() {
  const all = fleet.devices.size;
  const visible = [...tiles.values()].filter(({ element: { hidden } }) => !hidden).length;
  const online = [...fleet.devices.values()].filter((device) => device.online).length;
  const some = visible === all ? `${online} online` : `${visible} shown`;
  const text = all === 0 ? '' : `${all} ${all === 1 ? 'device' : 'devices'}, ${some}`;
  const connected = element('connection').dataset.state === 'open';
  if (element('count').textContent !== text) element('count').textContent = text;
  element('nobody').hidden = all > 0 || !connected;
  element('help').hidden = all === 0;
}
