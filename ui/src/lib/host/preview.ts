import type { Language } from "../wire/Language";
import type { Theme } from "../wire/Theme";
import { challenge, FakeHost } from "./fake";
import { freshDisplay } from "./household";
import { householdOf, isSceneName, scenes } from "./scenes";

declare global {
  interface Window {
    /** The preview's host, for a person at the console or a test to move on. */
    luminousPreview?: FakeHost;
  }
}

/** A fake host for a plain browser: `?scene=waiting&language=de&theme=dark&play=1`. */
export function previewHost(): FakeHost {
  const query = new URLSearchParams(window.location.search);
  const name = query.get("scene") ?? "signed_out_never";
  const snapshot = scenes[isSceneName(name) ? name : "signed_out_never"]();
  const language = oneOf<Language>(query.get("language"), ["system", "en", "de", "es"]);
  const theme = oneOf<Theme>(query.get("theme"), ["system", "light", "dark"]);
  const host = new FakeHost(snapshot, { language, theme }, householdOf(name));
  if (query.has("elsewhere")) host.challenge = challenge({ same_network: false });
  if (query.has("former")) {
    const former = { id: "d-9", name: "Playroom", room: "Upstairs" };
    host.challenge = challenge({ former });
  }
  window.luminousPreview = host;
  if (query.has("arrives")) setTimeout(() => host.joins(freshDisplay("d-7", "Bedroom", null)));
  if (query.has("ends")) setTimeout(() => host.ends(freshDisplay("d-2", "Hall", null)));
  if (query.has("play")) play(host);
  return host;
}

/** Lets each sign-in come back by itself after a while, and asks for proofs as the server would. */
function play(host: FakeHost) {
  host.wantsProof = true;
  void host.watchSession(({ stage }) => {
    if (stage.kind === "waiting_for_browser") {
      const { purpose } = stage;
      setTimeout(() => (purpose === "step_up" ? host.confirm() : host.comeBack()), 3000);
    }
    if (stage.kind === "finishing") setTimeout(() => host.finish(), 800);
  });
}

function oneOf<T extends string>(text: string | null, allowed: [T, ...T[]]): T {
  return allowed.find((value) => value === text) ?? allowed[0];
}
