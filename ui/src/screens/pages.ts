import type Account from "./Account.svelte";
import type Connect from "./Connect.svelte";
import type Family from "./Family.svelte";
import type Begin from "./onboarding/Begin.svelte";
import type Join from "./onboarding/Join.svelte";
import type Settings from "./Settings.svelte";

/**
 * What is behind a click, so that nobody sees it first: its code comes after the first frame. And
 * the first start, which happens once; `main.ts` brings it before that frame.
 */
export interface Pages {
  readonly Account: typeof Account;
  readonly Begin: typeof Begin;
  readonly Connect: typeof Connect;
  readonly Family: typeof Family;
  readonly Join: typeof Join;
  readonly Settings: typeof Settings;
}

let here: Pages | null = null;

/** The pages, once they have been brought. */
export function pagesHere(): Pages | null {
  return here;
}

/** Brings the pages. They come from the program's own files. */
export async function bringPages(): Promise<Pages> {
  here ??= await import("./behind");
  return here;
}
