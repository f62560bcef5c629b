import { cleanup, screen, waitFor } from "@testing-library/svelte";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import { scenes, type SceneName } from "../../../src/lib/host/scenes";
import type { Language } from "../../../src/lib/wire/Language";
import { ENGLISH, show, wishes } from "../show";

const names = Object.keys(scenes) as SceneName[];
const languages: Language[] = ["en", "de", "es"];

describe("the window", () => {
  it.each(names)("draws %s in every language, without a gap in the words", (name) => {
    for (const language of languages) {
      show(name, { ...ENGLISH, language });
      expect(screen.getByRole("heading", { level: 1, hidden: true }).textContent).not.toBe("");
      expect(document.body.textContent).not.toMatch(/[{}]|undefined|null|\[object/);
      expect(document.documentElement.lang).toBe(language);
      cleanup();
    }
  });

  it("asks nothing of Rust before it draws, when the start says everything", () => {
    const host = show("home");
    expect(wishes(host)).toEqual([]);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Hello, Ana Lindqvist");
  });

  it("holds the chosen theme on the page, and none when the computer decides", async () => {
    const host = show("home", { ...ENGLISH, theme: "dark" });
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(host.settings.theme).toBe("dark");
    cleanup();
    show("home");
    await tick();
    expect(document.documentElement.dataset.theme).toBeUndefined();
  });

  it("tells Rust once that a screen has been drawn, and never of the start", async () => {
    const host = show("starting");
    host.show({ stage: scenes.signed_out_never().stage });
    const drawn = () => host.calls.filter(({ command }) => command === "screen_drawn");
    await waitFor(() => expect(drawn()).toHaveLength(1));
    host.show({ provider: null });
    host.finish();
    await waitFor(() => expect(drawn()).toHaveLength(2));
    expect(drawn().map(({ takes }) => takes)).toEqual([
      { screen: "signed_out" },
      { screen: "signed_in" },
    ]);
  });

  it("leads the focus to the heading of each new screen, but not at the start", async () => {
    const host = show("waiting");
    expect(document.activeElement).toBe(document.body);
    host.comeBack();
    await waitFor(() => expect(document.activeElement?.textContent).toBe("Almost there"));
  });
});
