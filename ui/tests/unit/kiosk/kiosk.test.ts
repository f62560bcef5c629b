import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import Kiosk from "../../../src/kiosk/Kiosk.svelte";
import { HINTS } from "../../../src/kiosk/hints";
import { kioskWords } from "../../../src/kiosk/words";
import { FakeKiosk } from "../../../src/lib/host/kiosk_fake";
import {
  codeStage,
  kioskScenes,
  wallNote,
  wallNotes,
  wallStage,
  type KioskSceneName,
} from "../../../src/lib/host/kiosk_scenes";
import { problem } from "../../../src/lib/host/scenes";
import { Clock } from "../../../src/lib/state/clock.svelte";
import type { ErrorCode } from "../../../src/lib/wire/ErrorCode";
import type { Settings } from "../../../src/lib/wire/Settings";
import { HOSTILE } from "../../hostile";
import { ENGLISH } from "../show";

/** The whole wall at one moment, at this hour of today. */
function hang(scene: KioskSceneName, { settings = ENGLISH, hour = 14 } = {}): FakeKiosk {
  const snapshot = kioskScenes[scene]();
  const host = new FakeKiosk(snapshot, settings);
  const now = new Date().setHours(hour, 5);
  render(Kiosk, { props: { host, start: { snapshot, settings }, clock: new Clock(() => now) } });
  return host;
}

const title = () => {
  const all = document.querySelectorAll(".layer:not(.leaves) h1");
  return all[all.length - 1]?.textContent.trim();
};
const theme = () => document.documentElement.dataset.theme;

describe("the wall's screens", () => {
  it.each<[KioskSceneName, RegExp]>([
    ["starting", /^Just a moment$/],
    ["unconfigured", /does not know its family yet/],
    ["waiting_for_server", /^Waiting for your family’s server$/],
    ["code", /^Link this display$/],
    ["code_former", /^Link Kitchen again$/],
    ["idle", /^Tap to show a code$/],
    ["claimed", /47$/],
    ["linking", /^Almost there$/],
    ["welcome", /^The Lindqvists$/],
    ["wall", /^The Lindqvists$/],
    ["storage_blocked", /keyring is out of reach/],
  ])("%s is headed by %s", (scene, heading) => {
    hang(scene);
    expect(title()).toMatch(heading);
  });

  it("reports what has been drawn", async () => {
    const host = hang("wall");
    await waitFor(() =>
      expect(host.calls).toContainEqual({ command: "screen_drawn", takes: { screen: "wall" } }),
    );
  });

  it("speaks the chosen language", () => {
    hang("idle", { settings: { language: "de", theme: "system" } satisfies Settings });
    expect(title()).toBe("Tippen, um einen Code zu zeigen");
    expect(document.documentElement.lang).toBe("de");
  });
});

describe("the code", () => {
  it("stands in two groups, with steps that name the address and the life that is left", () => {
    hang("code");
    const groups = [...document.querySelectorAll("p.code > [aria-hidden]")].map(
      (one) => one.textContent,
    );
    expect(groups).toEqual(["K7M", "3QX"]);
    expect(screen.getByText(/family\.example\/link on your phone/).textContent).not.toContain(
      "https",
    );
    expect(document.querySelectorAll("ol li")).toHaveLength(3);
  });

  it("draws the QR code as one path on a plate with four modules of quiet around it", () => {
    hang("code");
    const svg = document.querySelector("svg[role=img]");
    const { stage } = kioskScenes.code();
    if (stage.kind !== "code") throw new Error("not a code");
    const { size, path } = stage.qr;
    expect(svg?.getAttribute("viewBox")).toBe(`-4 -4 ${size + 8} ${size + 8}`);
    expect(svg?.querySelectorAll("path")).toHaveLength(1);
    expect(svg?.querySelector("path")?.getAttribute("d")).toBe(path);
    expect(svg?.querySelector("rect")?.getAttribute("width")).toBe(`${size + 8}`);
  });

  it("goes over into the next one: for a moment both are there, and only one is said", async () => {
    const host = hang("code");
    host.show({ stage: codeStage(0, { user_code: "9TB R4W" }) });
    await waitFor(() => expect(document.body.textContent).toContain("9 T B"));
    const leaving = [...document.querySelectorAll(".leaves")];
    expect(leaving.some((layer) => layer.textContent.includes("K 7 M"))).toBe(true);
    for (const layer of leaving) expect(layer.getAttribute("aria-hidden")).toBe("true");
    for (const layer of leaving) await fireEvent.animationEnd(layer);
    expect(document.querySelectorAll(".leaves")).toHaveLength(0);
    expect(document.body.textContent).not.toContain("K 7 M");
  });

  it("d15 says why it is a new one when the number was wrong", () => {
    hang("code_mismatch");
    screen.getByText("The number was not the right one, so this is a new code.");
  });
});

describe("d22 a wall that waits to be touched", () => {
  const shown = (host: FakeKiosk) => host.calls.filter(({ command }) => command === "show_code");

  it("shows a code when somebody touches it anywhere", async () => {
    const host = hang("idle");
    await fireEvent.click(screen.getByRole("button", { name: "Tap to show a code" }));
    expect(shown(host)).toHaveLength(1);
    await waitFor(() => expect(title()).toBe("Link this display"));
  });

  it("shows a code at any key, but at no chord", async () => {
    const host = hang("idle");
    await fireEvent.keyDown(window, { key: "p", ctrlKey: true });
    expect(shown(host)).toHaveLength(0);
    await fireEvent.keyDown(window, { key: "a" });
    expect(shown(host)).toHaveLength(1);
  });

  it("wants nothing of a key anywhere else", async () => {
    const host = hang("wall");
    await fireEvent.keyDown(window, { key: "a" });
    expect(shown(host)).toHaveLength(0);
  });
});

describe("the family's wall", () => {
  it("shows the time of the server and not that of a wrong clock", async () => {
    const host = hang("wall");
    const clock = () => document.querySelector(".clock")?.textContent;
    const before = clock();
    host.show({ clock_offset_ms: -2 * 3_600_000 });
    await waitFor(() => expect(clock()).not.toBe(before));
    expect(clock()).toMatch(/12:05/);
  });

  it("names everybody for those who listen, and counts those there is no room for", () => {
    hang("wall_long");
    expect(document.querySelectorAll(".members .avatar")).toHaveLength(9);
    expect(document.querySelector(".others")?.textContent).toBe("+15");
  });

  it("shows a note as it arrives, the newest first", async () => {
    const host = hang("wall");
    host.show({ stage: wallStage([wallNote("n-new", 1, "I am home.", 0), ...wallNotes(2)]) });
    await screen.findByText("I am home.");
    const texts = [...document.querySelectorAll(".layer:not(.leaves) .text")];
    expect(texts[0]?.textContent).toBe("I am home.");
  });

  it("shows many notes page by page, and says so", () => {
    hang("wall_many");
    expect(document.querySelectorAll(".text")).toHaveLength(3);
    screen.getByText("Page 1 of 3");
  });

  it("says quietly since when it has heard nothing, and nothing more about it", () => {
    hang("wall_offline");
    screen.getByText(/^as of /);
    expect(document.querySelector(".hint")).toBeNull();
  });

  it.each([
    [14, false],
    [16, true],
  ])("says as of when it is what was read %i minutes ago, online: %s", async (minutes, said) => {
    const host = hang("wall");
    const now = new Date().setHours(14, 5);
    const stage = { ...wallStage(wallNotes(1)), as_of_ms: now - minutes * 60_000 };
    host.show({ stage, connection: { kind: "online" } });
    await waitFor(() => expect(document.querySelectorAll(".text")).toHaveLength(1));
    expect(screen.queryByText(/^as of /) !== null).toBe(said);
  });

  it("takes a note down when its time is over, by the server's clock", async () => {
    const host = hang("wall");
    const now = new Date().setHours(14, 5);
    const until = (id: string, minutes: number | null) => ({
      ...wallNote(id, 0, `note ${id}`),
      expires_at_ms: minutes === null ? null : now + minutes * 60_000,
    });
    const stage = wallStage([until("over", -1), until("soon", 30), until("open", null)]);
    const texts = () =>
      [...document.querySelectorAll(".layer:not(.leaves) .text")].map((one) => one.textContent);
    host.show({ stage });
    await waitFor(() => expect(texts()).toEqual(["note soon", "note open"]));
    host.show({ stage, clock_offset_ms: 3_600_000 });
    await waitFor(() => expect(texts()).toEqual(["note open"]));
  });

  it("says that the keyring is locked, and stays", () => {
    hang("wall_locked");
    screen.getByText(/^The keyring is locked/);
    expect(title()).toBe("The Lindqvists");
  });

  it.each(HOSTILE)("u4 text from outside stays text: %s", (text) => {
    const host = hang("wall");
    host.show({
      stage: wallStage([{ ...wallNote("n", 0, text), author_name: text }], {
        family_name: text,
        members: [{ id: text, name: text }],
      }),
    });
    return waitFor(() => {
      expect(title()).toBe(text);
      expect(document.querySelector(".layer:not(.leaves) .text")?.textContent).toBe(text);
      expect(document.querySelectorAll("script, img, iframe, a, body style, math")).toHaveLength(0);
    });
  });
});

describe("a keyring out of reach", () => {
  it("is asked again on request", async () => {
    const host = hang("storage_blocked");
    await fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(host.calls.map(({ command }) => command)).toContain("retry_kiosk_storage");
    await waitFor(() => expect(title()).toBe("The Lindqvists"));
  });

  it("says in words why that did not help", async () => {
    const host = hang("storage_blocked");
    host.refuse("retry_kiosk_storage", problem("store.timeout"));
    await fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("This computer’s keyring does not answer.");
  });
});

describe("day and night", () => {
  it("is warm and dark at night, whatever was chosen", () => {
    hang("wall", { hour: 23, settings: { language: "en", theme: "light" } });
    expect(theme()).toBe("night");
  });

  it("is as chosen by day, and begins out of the dark", async () => {
    const host = hang("starting", { settings: { language: "en", theme: "light" } });
    expect(theme()).toBe("dark");
    host.show({ stage: wallStage([]) });
    await waitFor(() => expect(theme()).toBe("light"));
  });
});

describe("a wall's hints", () => {
  it("are whole sentences in every language, and hold no code", () => {
    for (const key of Object.values(HINTS)) {
      if (key === null) continue;
      for (const locale of ["en", "de", "es"] as const) {
        const sentence = kioskWords.of(locale)?.[key];
        expect(sentence, key).toMatch(/^\p{Lu}.{8,}\.$/u);
        expect(sentence).not.toMatch(/[a-z]+_[a-z]+|\berror\b/i);
      }
    }
  });

  it("never show what only a log should hold", () => {
    const codes = Object.keys(HINTS) as ErrorCode[];
    expect(codes.length).toBeGreaterThan(50);
    const host = hang("waiting_for_server");
    for (const code of codes) {
      host.show({ problem: problem(code) });
      expect(document.body.textContent).not.toContain("What the log says");
    }
  });
});
