// Tiles in order, who is here before who is not, then by name. A tile moves only where it must.

const { compare } = new Intl.Collator(undefined, { numeric: true });

export class Row {
  #list;
  #tiles = []; // in order

  constructor(list) {
    this.#list = list;
  }

  /** Put a tile, new or known, where it belongs. */
  settle(tile) {
    const was = this.#tiles.indexOf(tile);
    if (was >= 0 && this.#fits(was)) return;
    if (was >= 0) this.#tiles.splice(was, 1);
    const place = this.#place(tile);
    this.#tiles.splice(place, 0, tile);
    const focused = tile.element.contains(document.activeElement) ? document.activeElement : null;
    this.#list.insertBefore(tile.element, this.#tiles[place + 1]?.element ?? null);
    focused?.focus({ preventScroll: true }); // moving takes it away
  }

  remove(tile) {
    this.#tiles = this.#tiles.filter((other) => other !== tile);
    tile.element.remove();
  }

  #fits(k) {
    const [before, tile, after] = [this.#tiles[k - 1], this.#tiles[k], this.#tiles[k + 1]];
    return !(before && order(before, tile) > 0) && !(after && order(tile, after) > 0);
  }

  #place(tile) {
    let [low, high] = [0, this.#tiles.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(this.#tiles[middle], tile) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function order(one, other) {
  if (one.online !== other.online) return one.online ? -1 : 1;
  return compare(one.name, other.name);
}
