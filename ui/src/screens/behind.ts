/** What `pages.ts` brings, in one piece. */
export { default as Account } from "./Account.svelte";
export { default as Connect } from "./Connect.svelte";
export { default as Family } from "./Family.svelte";
export { default as Begin } from "./onboarding/Begin.svelte";
export { default as Join } from "./onboarding/Join.svelte";
export { default as Settings } from "./Settings.svelte";
