// The token that this browser shows a server that asks for one. Comes from behind a # in the address,
// which browsers send nowhere, or from a field on the page; is kept here, and never put into a URL.

const KEY = 'gaitway.token';
const FORM = /^gw-[0-9a-f]{8}-[\w-]{43}$/;
let asking = null; // the promise of an answer
let broken = ''; // what was wrong with the token of the address

take();

/** Show the token as the first message: a browser's WebSocket has no header for it. */
export function introduce(socket) {
  socket.send(JSON.stringify({ type: 'auth', token: kept() })); // without one we hear so at once
}

/** The headers of a request that shows the token. */
export function authorization() {
  const token = kept();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Ask the person for a token, once at a time; resolves when one is given. */
export function ask(why) {
  asking ??= new Promise((resolve) => show(why, resolve));
  return asking;
}

/** Take the question back: the server has let us in. */
export function settled() {
  document.querySelector('form.token')?.remove();
  asking = null;
}

function kept() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return ''; // storage is switched off
  }
}

function keep(token) {
  try {
    localStorage.setItem(KEY, token);
  } catch {
    // storage is switched off: the server will ask again
  }
}

/** Keep the token of the address, and take it out of the address and the history. */
function take() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (token === null) return;
  if (FORM.test(token)) keep(token);
  else broken = 'The token in this address is not whole: scan the code again, or copy all of it. ';
  history.replaceState(null, '', location.pathname + location.search);
}

function show(why, resolve) {
  const form = document.createElement('form');
  const label = document.createElement('label');
  const field = document.createElement('input');
  const help = document.createElement('p');
  const button = document.createElement('button');
  form.className = 'token';
  form.setAttribute('aria-label', 'Way in');
  label.htmlFor = field.id = 'token';
  label.textContent = 'Token';
  Object.assign(field, { type: 'password', autocomplete: 'off', spellcheck: false, required: true });
  field.setAttribute('aria-describedby', 'token-help');
  help.id = 'token-help';
  help.className = 'help';
  help.setAttribute('role', 'status');
  help.textContent = `${broken}${why} Whoever runs it makes one with “gaitway token add”.`;
  button.textContent = 'Use it';
  form.append(label, field, help, button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const token = field.value.trim();
    if (!FORM.test(token)) {
      help.textContent = 'That is no whole token: it begins with gw- and has 55 characters.';
      return;
    }
    keep(token);
    settled();
    resolve();
  });
  document.querySelector('main').before(form);
}
