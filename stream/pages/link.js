// The connection to the server: opens, sends what is kept, resumes after a break.
// Emits 'state' (detail: {name, text}) and 'message' (detail: the parsed message).

import { encode } from './frames.js';
import { Outbox } from './outbox.js';
import { FINAL, Retry } from './retry.js';
import { ask, introduce, settled } from './token.js';

const KEPT = 7200; // frames: half an hour of four a second
const BUFFERED = 262144; // bytes that may wait in the browser
const SILENT_S = 10; // without an answer for so long, the line is dead
const LOOK_S = 0.25; // between two looks at the line
const DONE = 1000;
const UNAUTHENTICATED = 4401;
const FORBIDDEN = 4403;
const FINISHING = 'What is kept is sent when the server is back. Stop again gives it up';

export class Link extends EventTarget {
  #url;
  #retry;
  #socket = null;
  #timer = 0; // of the next try
  #looking = 0;
  #heard = 0; // performance.now() of the last sign of life
  #open = false; // welcomed
  #wanted = false;
  #finishing = false;
  #asking = false; // for a token
  #session = null;
  #since = ''; // id of the last prediction or event heard
  #window = -1; // the last one predicted

  /** `url`: a URL of /v1/stream with its query; `retry`: options of Retry. */
  constructor(url, retry = {}) {
    super();
    this.#url = new URL(url);
    this.#retry = new Retry(retry);
    this.outbox = new Outbox(KEPT);
  }

  start() {
    this.#wanted = true;
    this.#looking = setInterval(() => this.#look(), LOOK_S * 1000);
    addEventListener('online', this.#now);
    this.#connect();
  }

  /** Keep a frame, and send it as soon as there is a connection. */
  send(frame) {
    this.outbox.add(frame);
    this.#flush();
  }

  /** Send what is kept, as soon as that is possible, then end the session; told twice, end it now. */
  stop() {
    if (this.#finishing || this.outbox.length === 0) return this.#end();
    this.#finishing = true;
    if (this.#open) this.#flush();
    else this.#say('finishing', FINISHING);
  }

  #connect() {
    const url = new URL(this.#url);
    if (this.#session) {
      url.searchParams.set('session', this.#session);
      url.searchParams.set('since', this.#since); // empty: all that is kept of the session
    }
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heard = performance.now();
    this.#say('connecting', this.#session ? 'Connecting again …' : 'Connecting …');
    socket.onopen = () => introduce(socket);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#closed(code, reason);
  }

  #hear(message) {
    this.#heard = performance.now();
    if (message.type === 'welcome') this.#welcomed(message);
    else if (message.type === 'ack') {
      this.outbox.ack(message.seq);
      this.#retry.reset(); // only now: a server that welcomes may still be overloaded
    }
    if (message.id) this.#since = message.id;
    if (message.type === 'prediction') {
      if (message.window <= this.#window) return; // heard before the break
      this.#window = message.window;
    }
    this.dispatchEvent(new CustomEvent('message', { detail: message }));
    this.#flush();
  }

  #welcomed({ session, next_seq: nextSeq }) {
    const known = this.outbox.resume(nextSeq);
    if (!known || session !== this.#session) {
      this.#window = -1;
      this.#since = '';
    }
    this.#session = session;
    this.#open = true;
    settled();
    this.#say('open', 'Connected');
  }

  #flush() {
    if (!this.#open) return;
    while (this.#socket.bufferedAmount < BUFFERED) {
      const next = this.outbox.take();
      if (next === null) break;
      this.#socket.send(encode(...next));
    }
    if (this.#finishing && this.outbox.length === 0) this.#end();
  }

  /** Send what had to wait, and give up a line that has died without a word. */
  #look() {
    this.#flush();
    const silent = performance.now() - this.#heard > SILENT_S * 1000;
    const waiting = this.#socket && (!this.#open || this.outbox.unanswered);
    if (silent && waiting) {
      const dead = this.#socket;
      this.#closed(1006, '');
      dead.close();
    }
  }

  #closed(code, reason) {
    this.#socket = null;
    this.#open = false;
    if (!this.#wanted || (this.#finishing && this.outbox.length === 0)) return this.#end();
    if (code === UNAUTHENTICATED) return this.#ask();
    if (code in FINAL) {
      if (code === FORBIDDEN) ask(`${reason}.`);
      const told = (code === 1008 || code === FORBIDDEN) && reason;
      this.#end(`${FINAL[code]}${told ? `: ${reason}` : ''}.`);
      return;
    }
    this.#say(this.#finishing ? 'finishing' : 'waiting', this.#why(code));
    this.#timer = setTimeout(() => this.#connect(), this.#retry.next() * 1000);
  }

  /** Keep what there is, and go on once a token is given. */
  #ask() {
    this.#asking = true;
    this.#say('asking', `${FINAL[UNAUTHENTICATED]}.`);
    ask('This server asks for a token.').then(() => {
      this.#asking = false;
      this.#now();
    });
  }

  #why(code) {
    if (this.#finishing) return FINISHING;
    if (code === 1013) return 'The server is overloaded. Trying again …';
    return navigator.onLine ? 'No connection to the server. Trying again …' : 'No network.';
  }

  #now = () => {
    if (this.#socket || !this.#wanted || this.#asking) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #end(problem = '') {
    const socket = this.#socket;
    this.#wanted = this.#open = false;
    this.#socket = null;
    clearTimeout(this.#timer);
    clearInterval(this.#looking);
    removeEventListener('online', this.#now);
    socket?.close(DONE);
    this.#say(problem ? 'refused' : 'done', problem || 'Stopped');
  }

  #say(name, text) {
    this.dispatchEvent(new CustomEvent('state', { detail: { name, text } }));
  }
}
