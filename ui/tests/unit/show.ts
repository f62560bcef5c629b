import { render } from "@testing-library/svelte";

import App from "../../src/App.svelte";
import { FakeHost } from "../../src/lib/host/fake";
import type { Start } from "../../src/lib/host/host";
import { scenes, type SceneName } from "../../src/lib/host/scenes";
import type { SessionSnapshot } from "../../src/lib/wire/SessionSnapshot";
import type { Settings } from "../../src/lib/wire/Settings";

export const ENGLISH: Settings = { language: "en", theme: "system" };

/** The whole window at one moment, as Rust would start it. Queries of testing-library find its parts. */
export function show(scene: SceneName | SessionSnapshot, settings = ENGLISH): FakeHost {
  const snapshot = typeof scene === "string" ? scenes[scene]() : scene;
  const host = new FakeHost(snapshot, settings);
  const start: Start = { snapshot, settings };
  render(App, { props: { host, start } });
  return host;
}

/** The commands that changed something, in order, without the reports for measurements. */
export function wishes(host: FakeHost): string[] {
  return host.calls.map((call) => call.command).filter((command) => command !== "screen_drawn");
}

/** A scene with another account than Ana's. */
export function withAccount(change: { name?: string; email?: string | null }): SessionSnapshot {
  const snapshot = scenes.home();
  if (snapshot.stage.kind !== "signed_in") throw new Error("home is a signed-in scene");
  const account = { ...snapshot.stage.account, ...change };
  return { ...snapshot, stage: { ...snapshot.stage, account } };
}
