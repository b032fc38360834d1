// The dashboard: feed → fleet → screen, once a screen refresh, and only what changed.

import { Feed, midnight } from './feed.js';
import { Fleet } from './fleet.js';
import { writeMinutes, writeSegments } from './tables.js';
import { Tile } from './tile.js';

const TICK_MS = 5000; // durations and the hour go on by themselves
const element = (id) => document.getElementById(id);
const list = element('devices');
const filter = element('filter');
const shown = new IntersectionObserver(onShown, { rootMargin: '200px' });
const tiles = new Map(); // by device
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
  element('connection').textContent = text;
  element('connection').dataset.state = name;
}

function onShown(entries) {
  for (const { target, isIntersecting } of entries) {
    const name = target.dataset.device;
    const tile = tiles.get(name);
    tile.visible = isIntersecting;
    if (isIntersecting) fleet.dirty.add(fleet.devices.get(name));
  }
  ask();
}

/** Have everything written anew, as after a change of the filter. */
function refresh() {
  for (const device of fleet.devices.values()) fleet.dirty.add(device);
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
    const tile = tiles.get(device.name) ?? add(device.name);
    const hidden = !chosen(device);
    if (tile.element.hidden !== hidden) tile.element.hidden = hidden;
    if (!hidden) tile.update(device, fleet.current(device, now), now);
  }
  if (fleet.dirty.size > 0) count();
  fleet.dirty.clear();
  if (written !== fleet.told) tables(words, chosen, now);
}

function tables(words, chosen, now) {
  written = fleet.told;
  const wanted = ({ device, activity }) => matches(device, activity, words);
  writeSegments(element('segments'), fleet.segments, wanted);
  writeMinutes(element('minutes'), fleet.today(chosen, now));
  element('no-segments').hidden = element('segments').children.length > 0;
}

function matches(device, activity, words) {
  return words === '' || `${device} ${activity}`.toLowerCase().includes(words);
}

/** Add a tile where its name belongs. */
function add(name) {
  const tile = new Tile(name);
  tiles.set(name, tile);
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const after = [...list.children].find((other) => compare(other.dataset.device, name) > 0);
  list.insertBefore(tile.element, after ?? null);
  shown.observe(tile.element);
  return tile;
}

function count() {
  const all = fleet.devices.size;
  const visible = [...tiles.values()].filter(({ element: { hidden } }) => !hidden).length;
  const online = [...fleet.devices.values()].filter((device) => device.online).length;
  const text =
    visible === all ? `${all} devices, ${online} online` : `${visible} of ${all} devices shown`;
  if (element('count').textContent !== text) element('count').textContent = text;
  element('nobody').hidden = all > 0;
}
