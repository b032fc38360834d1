// Frames, and labels between them, that the phone must still keep: numbered, sent, acked, resumed.
// Knows no socket.

export class Outbox {
  #frames = []; // not acked, oldest first; a label has a member of that name
  #first = 0; // seq of the oldest one kept
  #sent = 0; // how many of them this connection has sent
  #acked = 0; // one above the highest seq that the server has said it has
  #label = null; // that was acked last
  #limit;

  /** Keep at most `limit` frames; beyond, the oldest is given up and counted. */
  constructor(limit) {
    this.#limit = limit;
    this.lost = 0;
  }

  get length() {
    return this.#frames.length;
  }

  /** Whether this connection has sent frames that are not acked. */
  get unanswered() {
    return this.#sent > 0;
  }

  add(frame) {
    if (this.#frames.length >= this.#limit) this.#giveUp();
    this.#frames.push(frame);
  }

  /** Return the next frame to send as [frame, seq], or null. */
  take() {
    if (this.#sent >= this.#frames.length) return null;
    const taken = [this.#frames[this.#sent], this.#first + this.#sent];
    this.#sent += 1;
    return taken;
  }

  /** Forget the frames up to `seq`. */
  ack(seq) {
    this.#acked = Math.max(this.#acked, seq + 1);
    this.#forget(seq + 1);
  }

  /**
   * Go on where the server's session stands; false where the server had forgotten it. It is then
   * told anew what the phone is labelled with.
   */
  resume(nextSeq) {
    this.#sent = 0; // what became of what was sent is not known
    const known = nextSeq >= this.#acked;
    if (!known) {
      this.#first = this.#acked = 0; // what is kept gets new numbers
      if (this.#label?.label) this.#frames.unshift(this.#label);
    }
    this.ack(nextSeq - 1);
    if (this.#frames.length === 0) this.#first = nextSeq;
    return known;
  }

  /** Give up the oldest frame, but no label: what comes after it would have a wrong one. */
  #giveUp() {
    const oldest = Math.max(this.#frames.findIndex((frame) => !isLabel(frame)), 0);
    this.#frames.splice(oldest, 1);
    this.#first += 1; // labels before it get other numbers, and may be told twice: no harm
    if (oldest < this.#sent) this.#sent -= 1;
    this.lost += 1;
  }

  #forget(before) {
    const gone = Math.min(Math.max(before - this.#first, 0), this.#frames.length);
    this.#label = this.#frames.splice(0, gone).findLast(isLabel) ?? this.#label;
    this.#first += gone;
    this.#sent = Math.max(this.#sent - gone, 0);
  }
}

function isLabel(frame) {
  return frame.label !== undefined;
}
