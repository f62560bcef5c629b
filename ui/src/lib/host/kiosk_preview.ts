import type { Language } from "../wire/Language";
import type { Theme } from "../wire/Theme";
import type { KioskStage } from "../wire/KioskStage";
import { FakeKiosk } from "./kiosk_fake";
import {
  claimedStage,
  codeStage,
  isKioskSceneName,
  kioskScenes,
  renewedStage,
  wallNote,
  wallNotes,
  wallStage,
  welcomeStage,
} from "./kiosk_scenes";

declare global {
  interface Window {
    /** The preview's wall, for a person at the console or a test to move on. */
    luminousKiosk?: FakeKiosk;
  }
}

/** A fake wall for a plain browser: `?scene=code&language=de&theme=dark&play=1`. */
export function previewKiosk(): FakeKiosk {
  const query = new URLSearchParams(window.location.search);
  const name = query.get("scene") ?? "code";
  const snapshot = kioskScenes[isKioskSceneName(name) ? name : "code"]();
  const language = oneOf<Language>(query.get("language"), ["system", "en", "de", "es"]);
  const theme = oneOf<Theme>(query.get("theme"), ["system", "light", "dark"]);
  const host = new FakeKiosk(snapshot, { language, theme });
  window.luminousKiosk = host;
  if (query.has("play")) play(host);
  return host;
}

/** From the first start to a note that arrives, by itself. */
function play(host: FakeKiosk) {
  const late = wallNote("n-late", 3, "I am home. What is for dinner?", 0);
  const acts: readonly [seconds: number, stage: () => KioskStage][] = [
    [0, () => ({ kind: "starting" })],
    [2, () => codeStage(9.8)],
    [10, renewedStage],
    [18, claimedStage],
    [24, () => ({ kind: "linking" })],
    [26, () => welcomeStage],
    [32, () => wallStage(wallNotes(2))],
    [38, () => wallStage([late, ...wallNotes(2)])],
  ];
  for (const [seconds, stage] of acts) {
    setTimeout(() => host.show({ stage: stage() }), seconds * 1000);
  }
}

function oneOf<T extends string>(text: string | null, allowed: [T, ...T[]]): T {
  return allowed.find((value) => value === text) ?? allowed[0];
}
