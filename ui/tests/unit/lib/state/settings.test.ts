import { describe, expect, it } from "vitest";

import { FakeHost } from "../../../../src/lib/host/fake";
import { problem, scenes } from "../../../../src/lib/host/scenes";
import { Clock } from "../../../../src/lib/state/clock.svelte";
import { SettingsState } from "../../../../src/lib/state/settings.svelte";

function settings() {
  const host = new FakeHost(scenes.home(), { language: "de", theme: "dark" });
  return { host, state: new SettingsState(host, new Clock(() => 7)) };
}

describe("the settings", () => {
  it("follow the computer until Rust has said what was chosen", async () => {
    const { state } = settings();
    expect([state.language, state.theme]).toEqual(["system", "system"]);
    await state.load();
    expect([state.language, state.theme]).toEqual(["de", "dark"]);
  });

  it("hold at once and are saved as a whole", async () => {
    const { host, state } = settings();
    await state.load();
    const saved = state.choose({ theme: "light" });
    expect(state.theme).toBe("light");
    await saved;
    expect(host.settings).toEqual({ language: "de", theme: "light" });
  });

  it("go back when they cannot be saved, and say why", async () => {
    const { host, state } = settings();
    await state.load();
    host.refuse("save_settings", problem("internal"));
    await state.choose({ language: "es" });
    expect(state.language).toBe("de");
    expect(state.trouble).toEqual({ error: problem("internal"), at: 7 });
    state.dismiss();
    expect(state.trouble).toBeNull();
  });

  it("keep a newer choice when an older one is refused", async () => {
    const { host, state } = settings();
    const release = host.hold("save_settings");
    host.refuse("save_settings", problem("internal"));
    const older = state.choose({ language: "es" });
    const newer = state.choose({ language: "en" });
    release();
    await Promise.all([older, newer]);
    expect(state.language).toBe("en");
  });

  it("stay the computer's when they cannot be read", async () => {
    const { host, state } = settings();
    host.refuse("load_settings", problem("internal"));
    await state.load();
    expect(state.language).toBe("system");
    expect(state.trouble?.error.code).toBe("internal");
  });
});
