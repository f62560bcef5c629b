import { windowWords } from "../lib/i18n/catalogs";
import english from "../lib/i18n/catalogs/en.behind.json";

// Their words are here before any of them is shown.
windowWords.addEnglish(english);

/** What `pages.ts` brings, in one piece. */
export { default as Account } from "./Account.svelte";
export { default as Arrivals } from "./Arrivals.svelte";
export { default as Connect } from "./Connect.svelte";
export { default as Displays } from "./home/Displays.svelte";
export { default as Elsewhere } from "./Elsewhere.svelte";
export { default as Family } from "./Family.svelte";
export { default as Link } from "./Link.svelte";
export { default as Onboarding } from "./Onboarding.svelte";
export { default as Paused } from "./Paused.svelte";
export { default as Settings } from "./Settings.svelte";
export { default as Waiting } from "./Waiting.svelte";
