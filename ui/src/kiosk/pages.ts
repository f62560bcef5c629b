/** How many notes one can still read at once from across the room. */
export const MOST = 4;

/** How long a page of notes stands, in ms. */
export const PAGE_STANDS = 14_000;

/** Notes in pages of at most `most`, each as full as the others as far as that goes. */
export function paged<T>(notes: readonly T[], most: number): T[][] {
  const pages = Math.ceil(notes.length / most);
  const each = Math.ceil(notes.length / Math.max(1, pages));
  return Array.from({ length: pages }, (_, page) => notes.slice(page * each, (page + 1) * each));
}

/** Which page is shown `since` ms after the first one was. */
export function pageAt(since: number, pages: number): number {
  return pages < 2 ? 0 : Math.floor(Math.max(0, since) / PAGE_STANDS) % pages;
}
