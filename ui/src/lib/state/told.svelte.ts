import type { DeviceView } from "../wire/DeviceView";

/** Where it is kept, with the webview's own data. */
const PLACE = "luminous.told";

/** How many are kept: more than any family links within a day. */
const MOST = 100;

/**
 * Which links of displays a person need not be told of any more: their own, and those whose news
 * they put away. Only ids and times; what cannot be kept is known until the window closes.
 */
export class Told {
  #links = $state.raw(read());

  /** Whether `account` has been told of this link of the display; a later one is another one. */
  has(account: string, device: DeviceView): boolean {
    return this.#links.includes(name(account, device));
  }

  /** They have been. */
  add(account: string, device: DeviceView) {
    const link = name(account, device);
    // Another window of the same person may have kept some meanwhile.
    const others = read().filter((one) => one !== link && !this.#links.includes(one));
    const mine = this.#links.filter((one) => one !== link);
    this.#links = [...others, ...mine, link].slice(-MOST);
    try {
      localStorage.setItem(PLACE, JSON.stringify(this.#links));
    } catch {
      // A full or forbidden store costs a second telling at the next start.
    }
  }
}

function name(account: string, { id, linked_at_ms }: DeviceView): string {
  return `${account} ${id} ${linked_at_ms}`;
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(kept) ? kept.filter((link) => typeof link === "string") : [];
  } catch {
    return [];
  }
}
