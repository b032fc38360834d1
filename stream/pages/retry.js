// When to try again: pauses that grow, with jitter, so that a hundred phones don't come at once.

/** Close codes after which nobody tries again by itself, each with what to tell its owner. */
export const FINAL = {
  1008: 'The server refuses this connection',
  1009: 'The server finds what this page sends too big',
  4000: 'Another page or app streams under this name. Choose another name, or stop the other one',
  4401: 'The server asks for a token',
  4403: 'The token does not allow this',
};

export class Retry {
  #pause;
  #options;

  constructor({ first = 0.5, longest = 20, random = Math.random } = {}) {
    this.#options = { first, longest, random };
    this.#pause = first;
  }

  /** Return the seconds to wait now: half to all of a pause that doubles. */
  next() {
    const { longest, random } = this.#options;
    const pause = this.#pause;
    this.#pause = Math.min(pause * 2, longest);
    return pause * (0.5 + 0.5 * random());
  }

  reset() {
    this.#pause = this.#options.first;
  }
}
