// Which signs this phone's numbers have: what a check found here once, or else a guess.

import { hasOppositeSigns } from './sensor.js';

const KEY = 'gaitway.axes';

/** Return {axes, checked}. */
export function recallSigns() {
  let found = null;
  try {
    found = localStorage.getItem(KEY);
  } catch {
    found = null; // storage is switched off
  }
  if (found === 'ios' || found === 'android') return { axes: found, checked: true };
  return { axes: hasOppositeSigns() ? 'ios' : 'android', checked: false };
}

export function rememberSigns(axes) {
  try {
    localStorage.setItem(KEY, axes);
  } catch {
    return; // the server remembers it, too
  }
}
