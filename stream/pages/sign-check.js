// The check of a device's signs, in its tile: a person lays the phone face up and presses.

import { authorization } from './token.js';

const UNDETERMINED = 'The sign is undetermined';

/** Whether the server says that it can't tell a device's signs. */
export function undetermined(advice) {
  return advice.startsWith(UNDETERMINED);
}

export class Signs {
  #details;
  #answer;
  #path;
  #asking = false;
  #open = false; // whether it was opened for its owner to see

  /** `details`: the element that holds the button and the answer. */
  constructor(details, name) {
    this.#details = details;
    this.#answer = details.querySelector('.answer');
    this.#path = `/v1/devices/${encodeURIComponent(name)}/face-up`;
    const button = details.querySelector('button');
    button.setAttribute('aria-label', `${button.textContent}: ${name}`);
    details.querySelector('.who').textContent = name;
    button.addEventListener('click', () => this.#ask());
  }

  /** Open once where the signs are undetermined; whoever closes it has seen it. */
  update(advice) {
    const wanted = undetermined(advice);
    if (wanted && !this.#open) this.#details.open = true;
    this.#open = wanted;
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.#say('Asking …');
    try {
      const answer = await fetch(this.#path, { method: 'POST', headers: authorization() });
      const { detail } = await answer.json();
      this.#say(detail, answer.ok ? 'good' : 'poor');
    } catch {
      this.#say('The server gave no answer. Try again.', 'poor');
    }
    this.#asking = false;
  }

  #say(text, state = 'good') {
    this.#answer.textContent = text;
    this.#answer.dataset.state = state;
  }
}
