import type { DeviceView } from "../wire/DeviceView";
import type { EndedDisplay } from "../wire/EndedDisplay";

/** Where it is kept, with the webview's own data. */
const PLACE = "luminous.told";

/** How many are kept: more than any family links within a day. */
const MOST = 100;

/** A display that was linked, or that the server ended. */
export type DisplayNews = DeviceView | EndedDisplay;

/**
 * Which links and ends of displays a person need not be told of any more: their own links, and what
 * they put away. Only ids and times; what cannot be kept is known until the window closes.
 */
export class Told {
  #links = $state.raw(read());

  /** Whether `account` has been told of this; a later link or end of the display is another one. */
  has(account: string, news: DisplayNews): boolean {
    return this.#links.includes(name(account, news));
  }

  /** They have been. */
  add(account: string, news: DisplayNews) {
    const link = name(account, news);
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

function name(account: string, news: DisplayNews): string {
  const when = "ended_at_ms" in news ? `ended ${news.ended_at_ms}` : news.linked_at_ms;
  return `${account} ${news.id} ${when}`;
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(kept) ? kept.filter((link) => typeof link === "string") : [];
  } catch {
    return [];
  }
}
