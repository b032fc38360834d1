// Keeps the screen on while streaming; a browser lets go of it whenever the page is hidden.

export class Awake {
  #wanted = false;
  #lock = null;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#take());
  }

  /** Resolves to whether the screen stays on. */
  async hold() {
    this.#wanted = true;
    return this.#take();
  }

  release() {
    this.#wanted = false;
    this.#lock?.release();
    this.#lock = null;
  }

  async #take() {
    if (!this.#wanted || document.hidden) return false;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
      if (!this.#wanted) this.release();
      return true;
    } catch {
      return false; // not supported, or the battery is low
    }
  }
}
