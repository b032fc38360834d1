// What the server tells listeners: first the day's history, paged, then what happens.
// Calls `hear` with every message once; after a break it asks for the history again.

import { FINAL, Retry } from './retry.js';
import { ask, authorization, introduce } from './token.js';

const TYPES = 'activity,prediction,status,quality';
const PAGE = 1000; // events a question
const REMEMBERED = 100000; // ids

export class Feed {
  #hear;
  #say;
  #retry = new Retry();
  #ids = new Set(); // of activity events told
  #waiting = null; // what comes while the history is read
  skew = 0; // ms that the server's clock is ahead

  /** `hear(message)`: news; `say(name, text)`: how the connection stands. */
  constructor(hear, say) {
    this.#hear = hear;
    this.#say = say;
  }

  start() {
    const url = new URL(`/v1/events?type=${TYPES}`, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    this.#say('connecting', 'Connecting …');
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  /** Tell the history from `since` on, a Date, and then what came meanwhile. */
  async history(since) {
    this.#waiting = [];
    try {
      for await (const event of this.#pages(since)) this.#once(event);
    } finally {
      const waiting = this.#waiting;
      this.#waiting = null;
      for (const message of waiting) this.#once(message);
    }
  }

  async #opened(socket) {
    introduce(socket);
    this.#say('open', 'Live');
    try {
      await this.history(begin());
    } catch {
      if (socket.readyState === WebSocket.OPEN) this.#say('open', 'Live, without the history');
    }
  }

  async *#pages(since) {
    const url = new URL('/v1/events', location.href);
    url.search = new URLSearchParams({ type: 'activity', from: since.toISOString(), limit: PAGE });
    for (;;) {
      const answer = await fetch(url, { headers: authorization() });
      if (answer.status === 410) return; // no longer kept: what is known must do
      if (!answer.ok) throw new Error(`history: ${answer.status}`);
      const skew = Date.parse(answer.headers.get('date')) - Date.now();
      this.skew = Math.abs(skew) > 2000 ? skew : 0; // the header has whole seconds
      const { events, next } = await answer.json();
      yield* events;
      if (next === null) return;
      url.searchParams.set('after', next);
    }
  }

  #take(message) {
    this.#retry.reset(); // only now: a server that lets us in and closes at once is left in peace
    if (message.type === 'missed') {
      if (this.#waiting === null) this.history(begin()).catch(() => {});
    } else if (this.#waiting !== null && message.type === 'activity') this.#waiting.push(message);
    else this.#once(message);
  }

  #once(message) {
    if (message.type === 'activity') {
      if (this.#ids.has(message.id)) return;
      this.#ids.add(message.id);
      if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value);
    }
    this.#hear(message);
  }

  #closed(code, reason) {
    if (code === 4401 || code === 4403) {
      ask(code === 4401 ? 'This server asks for a token.' : `${reason}.`).then(() => this.start());
    }
    if (code in FINAL) return this.#say('refused', `${FINAL[code]}.`);
    this.#say('waiting', 'No connection to the server. Trying again …');
    setTimeout(() => this.start(), this.#retry.next() * 1000);
  }
}

/** From when on the dashboard wants to know: the whole day, and a whole hour just after midnight. */
function begin() {
  return new Date(Math.min(midnight(), Date.now() - 3_600_000));
}

/** When today began, here. */
export function midnight() {
  const today = new Date();
  today.setHours(0, 0, 0, 0);
  return today;
}
