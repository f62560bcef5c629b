import { render } from "@testing-library/svelte";

import App from "../../src/App.svelte";
import { FakeHost, type Call } from "../../src/lib/host/fake";
import type { Start } from "../../src/lib/host/host";
import { householdOf, scenes, type SceneName } from "../../src/lib/host/scenes";
import type { SessionSnapshot } from "../../src/lib/wire/SessionSnapshot";
import type { Settings } from "../../src/lib/wire/Settings";

export const ENGLISH: Settings = { language: "en", theme: "system" };

/** The whole window at one moment, as Rust would start it. Queries of testing-library find its parts. */
export function show(scene: SceneName | SessionSnapshot, settings = ENGLISH): FakeHost {
  const snapshot = typeof scene === "string" ? scenes[scene]() : scene;
  const household = householdOf(typeof scene === "string" ? scene : "home");
  const host = new FakeHost(snapshot, settings, household);
  const start: Start = { snapshot, settings };
  render(App, { props: { host, start } });
  return host;
}

/** The calls that wanted something, in order: no report for measurements, no look at the family. */
export function wanted(host: FakeHost): Call[] {
  return host.calls.filter(({ command }) => !/^(screen_drawn|load_family|list_\w+)$/.test(command));
}

/** The names of those. */
export function wishes(host: FakeHost): string[] {
  return wanted(host).map(({ command }) => command);
}

/** A scene with another account than Ana's. */
export function withAccount(change: { name?: string; email?: string | null }): SessionSnapshot {
  const snapshot = scenes.home();
  if (snapshot.stage.kind !== "signed_in") throw new Error("home is a signed-in scene");
  const account = { ...snapshot.stage.account, ...change };
  return { ...snapshot, stage: { ...snapshot.stage, account } };
}
