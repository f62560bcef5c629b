import type Account from "./Account.svelte";
import type Arrivals from "./Arrivals.svelte";
import type Connect from "./Connect.svelte";
import type Displays from "./home/Displays.svelte";
import type Elsewhere from "./Elsewhere.svelte";
import type Family from "./Family.svelte";
import type Link from "./Link.svelte";
import type Onboarding from "./Onboarding.svelte";
import type Paused from "./Paused.svelte";
import type Settings from "./Settings.svelte";
import type Waiting from "./Waiting.svelte";

/**
 * What is behind a click, so that nobody sees it first: its code comes after the first frame. And
 * what happens once in a family's life, as the first start; `main.ts` brings it before that frame.
 */
export interface Pages {
  readonly Account: typeof Account;
  readonly Arrivals: typeof Arrivals;
  readonly Connect: typeof Connect;
  readonly Displays: typeof Displays;
  readonly Elsewhere: typeof Elsewhere;
  readonly Family: typeof Family;
  readonly Link: typeof Link;
  readonly Onboarding: typeof Onboarding;
  readonly Paused: typeof Paused;
  readonly Settings: typeof Settings;
  readonly Waiting: typeof Waiting;
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
