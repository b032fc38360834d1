// All devices as the dashboard knows them: messages in, records out. Knows no page.

const HOUR_MS = 3_600_000;
const STRIP = 30; // predictions kept a device: a minute
const SEGMENTS = 2000; // kept of all devices together
const ORDER = ['Walking', 'Jogging', 'Upstairs', 'Downstairs', 'Standing', 'Sitting', 'Unknown'];

export class Fleet {
  devices = new Map(); // by name
  told = 0; // how many segments there have been
  segments = []; // closed ones, oldest first: {device, activity, start, end}, ms
  dirty = new Set(); // devices that changed
  gone = new Set(); // devices that were there and said nothing: nobody lists them any more
  #midnight;

  /** `midnight`: when the day began, ms; what was before doesn't count as today's. */
  constructor(midnight) {
    this.#midnight = midnight;
  }

  hear(message) {
    const device = this.#device(message.device);
    if (message.type === 'state') this.#state(device, message);
    else if (message.type === 'status') return this.#status(device, message);
    else if (message.type === 'quality') {
      device.quality = message.state;
      device.advice = message.advice;
    } else if (message.type === 'prediction') this.#predicted(device, message);
    else if (message.type === 'activity') this.#changed(device, message);
    device.heard ||= message.type !== 'state' || message.status === 'offline' || message.since !== null;
    this.dirty.add(device);
  }

  /** The connection is new: who is here will be said. */
  begin() {
    for (const device of this.devices.values()) {
      device.online = false;
      this.dirty.add(device);
    }
  }

  #status(device, { status }) {
    device.online = status === 'online';
    if (device.online || device.heard) return this.dirty.add(device);
    this.devices.delete(device.name);
    this.dirty.delete(device);
    this.gone.add(device.name);
  }

  #device(name) {
    let device = this.devices.get(name);
    if (device === undefined) {
      this.gone.delete(name);
      device = {
        name,
        online: false,
        heard: false, // anything besides that it is here
        activity: 'Unknown',
        since: null, // ms
        newest: null, // activity of the newest prediction
        confidence: null, // of the newest prediction, or, before there is one, of the activity
        quality: 'good',
        advice: '',
        seen: 0, // ms of the newest prediction
        strip: [], // {activity, confidence} of the newest predictions
        segments: [], // closed ones of the last hour
        today: new Map(), // ms by activity, closed ones
      };
      this.devices.set(name, device);
    }
    return device;
  }

  #state(device, { activity, since, confidence, quality, status }) {
    device.activity = activity;
    device.since = since === null ? null : Date.parse(since);
    device.newest = null;
    device.confidence = confidence;
    device.quality = quality;
    device.online = status === 'online';
  }

  #predicted(device, { activity, confidence, time }) {
    device.strip.push({ activity, confidence });
    if (device.strip.length > STRIP) device.strip.shift();
    device.seen = Date.parse(time);
    [device.newest, device.confidence] = [activity, confidence];
  }

  #changed(device, message) {
    const time = Date.parse(message.time);
    if (message.event === 'ended') this.#ended(device, message, time);
    const started = message.event === 'started';
    if (device.since !== null && time <= device.since) {
      const same = message.activity === device.activity;
      if (time < device.since || same === started) return; // history: the state says it, or more
    }
    device.activity = started ? message.activity : 'Unknown';
    device.since = time;
    device.newest = null;
    device.confidence = started ? message.confidence : null;
  }

  #ended(device, { activity, duration_s: durationS }, end) {
    if (durationS <= 0) return; // what a session begins with, until its first window says more
    const segment = { device: device.name, activity, start: end - durationS * 1000, end };
    const today = end - Math.max(segment.start, this.#midnight);
    if (today > 0) device.today.set(activity, (device.today.get(activity) ?? 0) + today);
    this.segments.push(segment);
    this.told += 1;
    if (this.segments.length > SEGMENTS) this.segments.shift();
    device.segments.push(segment);
    while (device.segments[0]?.end < end - HOUR_MS) device.segments.shift();
  }

  /** The segment that a device is in, until `now`, or until it was last heard of. */
  current(device, now) {
    if (device.since === null) return null;
    const heard = Math.max(device.seen, device.since); // ahead of now, where a recording plays faster
    const end = device.online ? Math.max(now, heard) : heard;
    return { device: device.name, activity: device.activity, start: device.since, end };
  }

  /** Today's ms of the devices for which `chosen` holds, by activity, as [activity, ms]. */
  today(chosen, now) {
    const sums = new Map();
    const add = (activity, ms) => ms > 0 && sums.set(activity, (sums.get(activity) ?? 0) + ms);
    for (const device of this.devices.values()) {
      if (!chosen(device)) continue;
      for (const [activity, ms] of device.today) add(activity, ms);
      const open = this.current(device, now);
      if (open) add(open.activity, open.end - Math.max(open.start, this.#midnight));
    }
    const place = ([activity]) => (ORDER.indexOf(activity) + ORDER.length + 1) % (ORDER.length + 1);
    return [...sums].sort((a, b) => place(a) - place(b));
  }
}
