// What is wrong with a sensor, in one plain sentence. Judges, but reads nothing itself.

const SILENT_S = 2;
const STILL_S = 3;

/** Say what is wrong, or ''. `silent`, `still`: seconds without a reading, without a new one. */
export function trouble({ silent, still, empty, last }) {
  if (empty) {
    return 'The readings are empty: switch on motion sensors for this page in the browser’s settings.';
  }
  if (silent > SILENT_S) {
    return last === null
      ? 'No reading comes. Either this device has no motion sensor, or the browser’s settings switch it off.'
      : 'The readings have stopped. Reload the page, or check the browser’s motion settings.';
  }
  if (last !== null && last.x === 0 && last.y === 0 && last.z === 0) {
    return 'All readings are zero: motion sensors are switched off in the browser’s site settings.';
  }
  if (still > STILL_S) {
    return 'The readings do not change. A phone on a table does that; if you move, motion sensors are off.';
  }
  return '';
}
