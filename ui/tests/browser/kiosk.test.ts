import { mkdirSync } from "node:fs";

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { kioskScenes, type KioskSceneName } from "../../src/lib/host/kiosk_scenes";
import { HOSTILE } from "../hostile";
import { hang, settle, Windows } from "./window";

const PICTURES = "../target/ui-screens";
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** From a small panel to a large one, and upright. */
const GLASS = [
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
  { width: 720, height: 1280 },
  { width: 1080, height: 1920 },
];

const windows = new Windows("dist-preview");
mkdirSync(PICTURES, { recursive: true });

const blank = (glass = GLASS[0]) =>
  windows.blank({ reducedMotion: "reduce", viewport: glass ?? null, locale: "en-GB" });

describe.each(Object.keys(kioskScenes) as KioskSceneName[])("%s on the wall", (scene) => {
  it("breaks no rule, and fits glass of every size in three languages", async () => {
    const page = await blank();
    await hang(windows, page, { scene });
    expect(await violations(page), "light").toEqual([]);
    await fits(page, scene, "en");
    await hang(windows, page, { scene, language: "de", hour: 23 });
    expect(await violations(page), "night").toEqual([]);
    await fits(page, scene, "de");
    await hang(windows, page, { scene, language: "es", theme: "dark" });
    expect(await violations(page), "dark").toEqual([]);
    await fits(page, scene, "es");
  });
});

async function fits(page: Page, scene: string, language: string) {
  for (const glass of GLASS) {
    await page.setViewportSize(glass);
    await frames(page);
    const name = `${scene}.${language}.${glass.width}x${glass.height}`;
    if (glass.width <= 1280) await page.screenshot({ path: `${PICTURES}/kiosk.${name}.png` });
    expect(await sticksOut(page), name).toEqual([]);
    expect(await smallTargets(page), name).toEqual([]);
  }
}

/** A few frames: what measures itself has done so. */
function frames(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let left = 8;
        const count = () => (--left > 0 ? void requestAnimationFrame(count) : resolve());
        requestAnimationFrame(count);
      }),
  );
}

/** Words and pictures that are not wholly on the glass, or that lie on one another. */
function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { innerWidth, innerHeight } = window;
    const marked =
      "h1, h1 ~ p, .clock, .date, .text, .by, .code, p.left, li, figcaption, figure svg, .hint";
    const shown = [...document.querySelectorAll(marked)].filter((one) => one.checkVisibility());
    const boxes = shown.map((one) => ({ one, box: one.getBoundingClientRect() }));
    const out = boxes.filter(
      ({ one, box }) =>
        !one.matches(".for-listeners") &&
        (box.left < -1 ||
          box.top < -1 ||
          box.right > innerWidth + 1 ||
          box.bottom > innerHeight + 1),
    );
    const over = boxes.filter(({ one, box }) =>
      boxes.some(
        (other) =>
          !one.contains(other.one) &&
          !other.one.contains(one) &&
          box.top < other.box.bottom - 2 &&
          other.box.top < box.bottom - 2 &&
          box.left < other.box.right - 2 &&
          other.box.left < box.right - 2,
      ),
    );
    return [...out, ...over].map(({ one }) => one.outerHTML.slice(0, 100));
  });
}

/** What is to be touched has 64 px at least. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("button")]
      .filter((one) => {
        const { width, height } = one.getBoundingClientRect();
        return width < 64 || height < 64;
      })
      .map((one) => one.outerHTML),
  );
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    (runOnly) =>
      (window as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly,
        rules: { "color-contrast-enhanced": { enabled: true } },
        resultTypes: ["violations"],
      }),
    RULES,
  );
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

describe("a wall's journey", () => {
  it("goes from the touch to the code, the number, the family and a note", async () => {
    const page = await blank();
    await hang(windows, page, { scene: "idle" });
    await page.mouse.click(640, 600);
    await page.getByRole("heading", { name: "Link this display" }).waitFor();
    const step = (stage: object) =>
      page.evaluate((next) => window.luminousKiosk?.show({ stage: next as never }), stage);
    await step({ kind: "claimed", number: "47", expires_at_ms: 0 });
    await page.getByRole("heading", { name: "47" }).waitFor();
    await step({ kind: "linking" });
    await page.getByRole("heading", { name: "Almost there" }).waitFor();
    await step({ kind: "welcome", family_name: "The Lindqvists", device_name: "Kitchen" });
    await page.getByText("This display is called Kitchen").waitFor();
    const wall = kioskScenes.wall().stage;
    await step(wall);
    await page.getByText("Football is at six. Who drives?").waitFor();
  });

  it("goes from one code over into the next on the same dark ground", async () => {
    const page = await windows.blank({ viewport: { width: 640, height: 360 }, locale: "en-GB" });
    await hang(windows, page, { scene: "code", hour: 23 });
    const between = await page.evaluate(async () => {
      const host = window.luminousKiosk;
      if (host?.snapshot.stage.kind !== "code") throw new Error("there is no code");
      host.show({ stage: { ...host.snapshot.stage, user_code: "9TB R4W" } });
      // In one frame both codes are there, and behind them what was there before.
      for (let frame = 0; frame < 60; frame += 1) {
        await new Promise(requestAnimationFrame);
        if (document.querySelectorAll("p.code").length > 1) break;
      }
      return {
        codes: document.querySelectorAll("p.code").length,
        background: getComputedStyle(document.documentElement).backgroundColor,
      };
    });
    expect(between).toEqual({ codes: 2, background: "rgb(10, 7, 5)" });
    await expect.poll(() => page.locator(".leaves").count()).toBe(0);
    expect(await page.locator("p.code").count()).toBe(1);
  });

  it("x2 x5 hides the pointer, selects nothing, goes nowhere", async () => {
    const page = await blank();
    await hang(windows, page, { scene: "wall" });
    const before = page.url();
    await page.keyboard.type("admin://open");
    await page.keyboard.press("Alt+ArrowLeft");
    await page.keyboard.press("Control+a");
    await page.mouse.click(900, 300, { button: "right" });
    await page.mouse.dblclick(900, 150);
    expect(page.url()).toBe(before);
    const glass = await page.evaluate(() => ({
      selected: getSelection()?.toString() ?? "",
      cursor: getComputedStyle(document.querySelector(".text") ?? document.body).cursor,
      scrolled: document.scrollingElement?.scrollTop,
    }));
    expect(glass).toEqual({ selected: "", cursor: "none", scrolled: 0 });
  });

  it("u4 text from outside does nothing but stand there", async () => {
    const page = await blank();
    await hang(windows, page, { scene: "wall" });
    for (const text of HOSTILE) {
      await page.evaluate((hostile) => {
        const host = window.luminousKiosk;
        if (host?.snapshot.stage.kind !== "wall") throw new Error("there is no wall");
        const { stage } = host.snapshot;
        const notes = stage.wall.notes.map((note) => ({ ...note, text: hostile }));
        host.show({ stage: { ...stage, wall: { ...stage.wall, family_name: hostile, notes } } });
      }, text);
      await page.getByRole("heading", { name: text, exact: true }).waitFor();
      expect(await page.evaluate(() => "hurt" in window)).toBe(false);
      expect(await page.locator("#app :is(script, img, iframe, a, style, math)").count()).toBe(0);
    }
  });

  it("moves by a few pixels from one minute to the next", async () => {
    const page = await blank();
    await hang(windows, page, { scene: "wall" });
    const place = () =>
      page.evaluate(
        () => getComputedStyle(document.querySelector("main") ?? document.body).translate,
      );
    const before = await place();
    await page.clock.setFixedTime(new Date(2026, 10, 3, 14, 6));
    await expect.poll(place).not.toBe(before);
    await settle(page);
  });
});

describe("a wall in its window", () => {
  const product = new Windows("dist");

  it("stays dark while nobody answers, and takes what Rust put there", async () => {
    const page = await product.blank({ viewport: { width: 1280, height: 720 }, locale: "en-GB" });
    await page.addInitScript((snapshot) => {
      const noted: string[] = [];
      const internals = {
        invoke: (command: string) => {
          noted.push(command);
          return Promise.resolve(null);
        },
        transformCallback: () => 1,
        unregisterCallback: () => undefined,
      };
      Object.assign(window, { __TAURI_INTERNALS__: internals, noted });
      const value = { snapshot, settings: { language: "de", theme: "light" } };
      Object.defineProperty(window, "__LUMINOUS_START__", { value, configurable: true });
    }, kioskScenes.idle());
    await page.goto(`${product.address}/kiosk.html`);
    await page.getByRole("heading", { name: "Tippen, um einen Code zu zeigen" }).waitFor();
    const noted = () => page.evaluate(() => (window as unknown as { noted: string[] }).noted);
    await expect.poll(noted).toEqual(["watch_kiosk", "screen_drawn"]);
    // T22: it outlives no link.
    expect(await page.evaluate(() => "__LUMINOUS_START__" in window)).toBe(false);
  });

  it("asks anew when it is loaded again: what Rust put there is from the program's start", async () => {
    const page = await product.blank({ viewport: { width: 1280, height: 720 }, locale: "en-GB" });
    await page.addInitScript(
      ({ before, now }) => {
        const settings = { language: "en", theme: "light" };
        const answers: Record<string, unknown> = { kiosk_snapshot: now, load_settings: settings };
        const internals = {
          invoke: (command: string) => Promise.resolve(answers[command] ?? null),
          transformCallback: () => 1,
          unregisterCallback: () => undefined,
        };
        Object.assign(window, { __TAURI_INTERNALS__: internals, seen: [] });
        const value = { snapshot: before, settings };
        Object.defineProperty(window, "__LUMINOUS_START__", { value, configurable: true });
        const seen = (window as unknown as { seen: string[] }).seen;
        new MutationObserver(() => seen.push(document.documentElement.textContent)).observe(
          document,
          {
            childList: true,
            subtree: true,
          },
        );
      },
      { before: kioskScenes.wall(), now: kioskScenes.idle() },
    );
    await page.goto(`${product.address}/kiosk.html`);
    await page.getByRole("heading", { name: "The Lindqvists" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Tap to show a code" }).waitFor();
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen.join());
    expect(seen).toContain("Tap to show a code");
    expect(seen).not.toContain("Lindqvist");
  });

  it("is dark before its own script runs, so that nothing flashes", async () => {
    const page = await product.blank({ colorScheme: "light" });
    await page.route("**/assets/*.js", (route) => route.abort());
    await page.goto(`${product.address}/kiosk.html`);
    const background = await page.evaluate(
      () => getComputedStyle(document.documentElement).backgroundColor,
    );
    expect(background).toBe("rgb(18, 26, 28)");
    product.forgive(/ERR_FAILED/);
  });
});
