// The day's minutes and the newest segments, as tables. Rows are kept and reused.

import { lasting, timeOf } from './words.js';

const ROWS = 40;

/** Write [activity, ms] pairs, one a row, with a bar. */
export function writeMinutes(body, pairs) {
  const most = Math.max(...pairs.map(([, ms]) => ms), 1);
  resize(body, pairs.length, 'minute');
  pairs.forEach(([activity, ms], k) => {
    const [name, amount, bar] = body.children[k].children;
    body.children[k].dataset.activity = activity;
    write(name, activity);
    write(amount, `${(ms / 60_000).toFixed(1)} min`);
    bar.firstElementChild.style.setProperty('inline-size', `${Math.round((100 * ms) / most)}%`);
  });
}

/** Write the newest of `segments` for which `chosen` holds, newest first. */
export function writeSegments(body, segments, chosen) {
  const rows = [];
  for (let k = segments.length - 1; k >= 0 && rows.length < ROWS; k -= 1) {
    if (chosen(segments[k])) rows.push(segments[k]);
  }
  resize(body, rows.length, 'segment');
  rows.forEach(({ device, activity, start, end }, k) => {
    const [time, who, what, long] = body.children[k].children;
    body.children[k].dataset.activity = activity;
    write(time, timeOf(start));
    write(who, device);
    write(what.firstElementChild, activity);
    write(long, lasting(end - start));
  });
}

function resize(body, wanted, kind) {
  const template = document.getElementById(kind);
  while (body.children.length > wanted) body.lastElementChild.remove();
  while (body.children.length < wanted) {
    body.append(template.content.firstElementChild.cloneNode(true));
  }
}

function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}
