// What the phone's page shows. Knows the elements, and no sensor or socket.

import { Waveform } from './waveform.js';

const element = (id) => document.getElementById(id);
const QUIET_S = 5; // a note goes after so long
const ASKING = 'Enter the token above, or scan the code of the terminal that the server runs in. ' +
  'What is measured meanwhile is kept.';
const SPOKEN = { Unknown: 'Not sure yet' };

export class Screen {
  #troubles = new Map(); // by source; the first is shown
  #waveform = new Waveform(element('waveform'));
  #times = []; // of the last second's samples

  name = element('name');
  toggle = element('toggle');

  streaming(on) {
    this.toggle.textContent = on ? 'Stop' : 'Start';
    this.toggle.classList.toggle('on', on);
    this.name.disabled = on;
    if (on) {
      this.#waveform.clear();
      this.#listening();
      this.#latest('The first answer comes after ten seconds of movement.', 0);
      element('quality').textContent = 'The server has not judged it yet.';
    } else {
      this.#activity('Unknown', 'Not started');
      this.#latest('', 0);
      element('screen').textContent = 'Free to switch off';
      element('rate').textContent = '';
    }
  }

  nameAllowed(allowed) {
    this.name.setAttribute('aria-invalid', String(!allowed));
    this.toggle.disabled = !allowed;
    element('name-help').textContent = allowed
      ? 'Letters, digits, and _ . - after the first.'
      : 'This name is not allowed: 1 to 64 letters, digits or _ . -, beginning with a letter or digit.';
  }

  /** Show or take back (with '') a problem of the given source. */
  trouble(source, text) {
    if (text) this.#troubles.set(source, text);
    else this.#troubles.delete(source);
    const [first = ''] = this.#troubles.values();
    const place = element('problem');
    place.hidden = !first;
    if (place.textContent !== first) place.textContent = first;
  }

  wasHidden(seconds) {
    const said = `This page was hidden for ${seconds} s, and browsers give hidden pages no motion.`;
    this.trouble('hidden', `${said} Leave it open, with the screen on.`);
    setTimeout(() => this.trouble('hidden', ''), QUIET_S * 1000);
  }

  sample(sample) {
    this.#waveform.add(sample);
    this.#times.push(sample.t);
    while (this.#times[0] < sample.t - 2) this.#times.shift();
    const span = sample.t - this.#times[0];
    if (span > 1) element('rate').textContent = `${Math.round((this.#times.length - 1) / span)} Hz`;
  }

  hear(message) {
    if (message.type === 'prediction') {
      const percent = Math.round(message.confidence * 100);
      const seems = message.activity === 'Unknown' ? 'unclear' : message.activity.toLowerCase();
      this.#latest(`Last ten seconds: ${seems}, ${percent}\u00a0%`, message.confidence);
    } else if (message.type === 'activity' && message.event === 'started') {
      this.#activity(message.activity, SPOKEN[message.activity] ?? message.activity);
    } else if (message.type === 'quality') {
      element('quality').textContent =
        message.advice || `The server finds it good, at ${Math.round(message.rate_hz)} Hz.`;
      element('quality').dataset.state = message.state;
    } else if (message.type === 'error') {
      this.trouble('server', `The server says: ${message.message}`);
    }
  }

  connection(name, text) {
    const place = element('connection');
    place.textContent = text;
    place.dataset.state = name;
    if (name === 'open') this.trouble('server', '');
    if (name === 'asking') this.#activity('Unknown', 'A token is needed');
    else if (element('activity').textContent === 'A token is needed') this.#listening();
    this.trouble('token', name === 'asking' ? ASKING : '');
  }

  kept(link, frameS) {
    const seconds = link === null ? 0 : link.outbox.length * frameS;
    const lost = link?.outbox.lost ? `, ${link.outbox.lost * frameS} s given up` : '';
    const text = `${seconds < 1 ? 0 : Math.round(seconds)} s${lost}`;
    if (element('kept').textContent !== text) element('kept').textContent = text;
  }

  signs({ axes, checked }) {
    const whose = axes === 'ios' ? 'iPhone’s, turned round' : 'Android’s';
    element('signs').textContent = `${whose}, ${checked ? 'checked' : 'a guess'}`;
  }

  awake(held) {
    element('screen').textContent = held ? 'Kept on' : 'May switch off: keep it on by touching';
  }

  #listening() {
    this.#activity('Unknown', 'Listening …');
  }

  #activity(name, text) {
    const place = element('activity');
    place.dataset.activity = name;
    if (place.textContent !== text) place.textContent = text;
  }

  #latest(text, confidence) {
    element('latest').textContent = text;
    element('confidence').value = confidence;
  }
}
