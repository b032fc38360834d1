// Frames as the protocol's binary: 24 bytes of header, then 4 floats a sample; labels as its JSON.
// Knows no socket.

const VERSION = 1;
const OFFSETS = 1; // flag: each sample begins with its seconds after t0
const HEADER = 24; // bytes
const FLOATS = 4; // seconds after t0, x, y, z
export const MAX_SAMPLES = 4096;

/** Join samples {t, x, y, z} (s, m/s²) into a frame without a number. */
export function frameOf(samples) {
  if (samples.length < 1 || samples.length > MAX_SAMPLES) {
    throw new RangeError(`${samples.length} samples: a frame holds 1 to ${MAX_SAMPLES}`);
  }
  const t0 = samples[0].t;
  const rows = new Float32Array(samples.length * FLOATS);
  samples.forEach(({ t, x, y, z }, k) => rows.set([t - t0, x, y, z], k * FLOATS));
  return { t0, rows };
}

/** Write a frame with its number, as an ArrayBuffer, or a label {t, label}, as text. */
export function encode(frame, seq) {
  if (frame.label !== undefined) return JSON.stringify({ type: 'label', seq, ...frame });
  const { t0, rows } = frame;
  const buffer = new ArrayBuffer(HEADER + 4 * rows.length);
  const view = new DataView(buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, OFFSETS);
  view.setUint16(2, rows.length / FLOATS, true);
  view.setUint32(4, seq, true);
  view.setFloat64(8, t0, true);
  view.setFloat32(16, 0, true);
  view.setUint32(20, 0, true);
  rows.forEach((value, k) => view.setFloat32(HEADER + 4 * k, value, true));
  return buffer;
}
