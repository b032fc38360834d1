// What the phone's owner does, as they say it: buttons → labels for a server that records.

import { timeOf } from './words.js';

const SETTLE_S = 5; // to put the phone away, and to take it out again: the server holds so much
const WINDOW_S = 10; // less is no use
const LONGEST_STEP_S = 1; // between samples; what is missing is not recorded

const element = (id) => document.getElementById(id);
const seconds = () => performance.now() / 1000;

export class Teach {
  #link = null;
  #take = null; // what is on: {label, begin, begun, since, seconds, last}
  #takes = new Map(); // by label: [seconds] of what was recorded since the page was opened
  #buttons = [...document.querySelectorAll('[data-label]')];

  constructor() {
    for (const button of this.#buttons) {
      button.addEventListener('click', () => this.#press(button.dataset.label));
    }
    element('teach-stop').addEventListener('click', () => this.stop());
  }

  /** Labels go by `link` from now on; null: nowhere. */
  attach(link, device) {
    this.#link = link;
    element('teach-device').textContent = device;
    if (link === null) this.recording(false);
  }

  /** Show the buttons if the server records. */
  recording(on) {
    element('teach').hidden = !on;
    if (!on && this.#take) this.#ended('Nothing is recorded.');
  }

  /** The server can't write: say why. */
  refused(message) {
    if (this.#take) this.#link?.send({ t: seconds(), label: null }); // nothing is to begin again
    this.#ended(`The server says: ${message}.`);
  }

  sample({ t }) {
    const take = this.#take;
    if (take === null || t < take.begin) return;
    if (!take.begun) {
      take.begun = true;
      take.since = timeOf(Date.now());
      say(`${take.label} is being recorded, since ${take.since}:`);
    }
    take.seconds += Math.min(t - (take.last ?? t), LONGEST_STEP_S);
    take.last = t;
  }

  /** End what is on, SETTLE_S ago. */
  stop() {
    const take = this.#take;
    if (take === null) return;
    this.#link?.send({ t: seconds() - SETTLE_S, label: null });
    const recorded = Math.max(take.seconds - SETTLE_S, 0);
    if (recorded > 0) this.#takes.set(take.label, [...(this.#takes.get(take.label) ?? []), recorded]);
    const short = recorded < WINDOW_S ? ` That is too little: go on for ${WINDOW_S} s at least.` : '';
    this.#ended(`Stopped. ${Math.round(recorded)} s of ${take.label} are recorded.${short}`);
  }

  /** Write what changes by the second; `kept`: seconds that the server has not taken yet. */
  show(kept) {
    const take = this.#take;
    let text = '';
    if (take !== null && !take.begun) text = `${Math.max(Math.ceil(take.begin - seconds()), 0)} s`;
    else if (take !== null) {
      text = `${Math.max(Math.round(take.seconds - kept), 0)} s`;
      if (kept > 2) text += `, ${Math.round(kept)} s wait for the connection`;
    }
    write(element('teach-count'), text);
  }

  #press(label) {
    const again = this.#take?.label === label;
    this.stop();
    if (again || this.#link === null) return;
    const begin = seconds() + SETTLE_S;
    this.#take = { label, begin, begun: false, seconds: 0, last: null };
    this.#link.send({ t: begin, label });
    this.#mark();
    say(`${label}: put the phone away. It is recorded in`);
    this.show(0);
  }

  #ended(text) {
    this.#take = null;
    this.#mark();
    say(text);
    this.show(0);
  }

  #mark() {
    element('teach-stop').disabled = this.#take === null;
    for (const button of this.#buttons) {
      const { label } = button.dataset;
      button.setAttribute('aria-pressed', String(this.#take?.label === label));
      const takes = this.#takes.get(label);
      if (takes) tally(button, takes);
    }
  }
}

function tally(button, takes) {
  let place = button.querySelector('.tally');
  if (place === null) {
    place = document.createElement('span');
    place.className = 'tally';
    button.append(place);
  }
  const total = Math.round(takes.reduce((sum, one) => sum + one, 0));
  write(place, `${takes.length} ${takes.length === 1 ? 'take' : 'takes'}, ${total} s`);
}

function say(text) {
  write(element('teach-said'), text);
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
