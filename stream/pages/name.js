// The device's name: checked as the protocol does, made up the first time, and remembered.

const KEY = 'gaitway.device';
const ALLOWED = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export function isAllowed(name) {
  return ALLOWED.test(name);
}

/** Return the remembered name, or a new one. */
export function recall() {
  const made = `phone-${crypto.getRandomValues(new Uint16Array(1))[0].toString(16).padStart(4, '0')}`;
  try {
    const kept = localStorage.getItem(KEY);
    if (kept !== null && isAllowed(kept)) return kept;
  } catch {
    return made; // storage is switched off
  }
  remember(made);
  return made;
}

export function remember(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    return; // storage is switched off: the name lasts as long as the page
  }
}
