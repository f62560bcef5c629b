import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { scenes } from "../../src/lib/host/scenes";
import { POLICY } from "./serve";
import { Windows } from "./window";

const files = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.\w+$/.test(name),
);
const read = (name: string) => readFileSync(join("dist", name), "utf8");
type PageName = "index.html" | "kiosk.html";

/** The scripts that a page itself asks for, and those that they cannot do without. */
function firstLoad(page: PageName = "index.html"): string[] {
  const found = new Set<string>();
  const follow = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const [, next] of read(name).matchAll(/(?:from|^import|;import)"\.\/([^"]+)"/g)) {
      follow(`assets/${next ?? ""}`);
    }
  };
  for (const [, name] of read(page).matchAll(/(?:src|href)="\/([^"]+\.js)"/g)) {
    follow(name ?? "");
  }
  return [...found];
}

function sizeOf(names: string[]): number {
  return names.reduce((sum, name) => sum + gzipSync(read(name)).length, 0);
}

const scripts = files.filter((name) => name.endsWith(".js"));

describe("the product's files", () => {
  it("hold nothing of the fake host, which the preview's files do", () => {
    const preview = readdirSync("dist-preview/assets").map((name) =>
      readFileSync(join("dist-preview/assets", name), "utf8"),
    );
    for (const trace of [
      "luminousPreview",
      "luminousKiosk",
      "lindqvist",
      "waiting_failed",
      "scene",
    ]) {
      expect(preview.join().includes(trace), trace).toBe(true);
      for (const name of scripts) expect(read(name).includes(`"${trace}"`), name).toBe(false);
      if (trace !== "scene") expect(scripts.map(read).join().includes(trace), trace).toBe(false);
    }
  });

  it.each(["index.html", "kiosk.html"])(
    "%s carries no script or style inside, and nothing from elsewhere",
    (name) => {
      const page = read(name);
      expect(page).not.toMatch(/<style|style=|\son\w+=|javascript:/i);
      for (const [, attributes, body] of page.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
        expect(attributes).toMatch(/src="\/[^/]/);
        expect(body).toBe("");
      }
      for (const [, address] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
        expect(address).toMatch(/^\/[^/]/);
      }
    },
  );

  it.each<PageName>(["index.html", "kiosk.html"])(
    "are small: less than 40 kB of script as it travels, before the first frame of %s",
    (page) => {
      const first = firstLoad(page);
      expect(first.length).toBeGreaterThan(1);
      expect(sizeOf(first)).toBeLessThan(40_000);
      // The rest comes after the first frame or with a language, and is no reason to grow either.
      expect(scripts.length).toBeGreaterThan(first.length);
      expect(sizeOf(scripts)).toBeLessThan(95_000);
    },
  );

  it("bring a language only to those who speak it", () => {
    for (const words of ["Weiter im Browser", "Continuar en el navegador"]) {
      const holders = scripts.filter((name) => read(name).includes(words));
      expect(holders).toHaveLength(1);
      expect(firstLoad()).not.toContain(holders[0]);
    }
  });

  it("hold no way to make code or markup from text", () => {
    for (const name of scripts)
      expect(read(name)).not.toMatch(/\beval\(|new Function\(|document\.write/);
  });
});

describe("the policy of the test pages", () => {
  it("is the one of tauri.conf.json", () => {
    const text = readFileSync("../tauri.conf.json", "utf8");
    const { app } = JSON.parse(text) as { app: { security: { csp: Record<string, string> } } };
    const policy = Object.entries(app.security.csp).map(([name, value]) => `${name} ${value}`);
    expect(policy.sort()).toEqual(POLICY.split("; ").sort());
  });
});

describe("the product in its window", () => {
  const windows = new Windows("dist");

  it("draws home from what Rust put there, in the chosen theme, and asks for nothing first", async () => {
    const page = await windows.blank();
    await pretendToBeTauri(page, {
      snapshot: scenes.home(),
      settings: { language: "de", theme: "dark" },
    });
    await page.goto(windows.address);
    await page.getByRole("heading", { name: "Hallo, Ana Lindqvist" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    await expect
      .poll(() => calls(page))
      .toEqual([
        "watch_session",
        "watch_family",
        "screen_drawn signed_in",
        "load_family",
        "list_members",
        "list_notes",
        "list_devices",
        "list_invites",
      ]);
  });

  it("never shows the words of another language first", async () => {
    const page = await windows.blank({ locale: "en-GB" });
    await pretendToBeTauri(page, {
      snapshot: scenes.home(),
      settings: { language: "es", theme: "light" },
    });
    await page.addInitScript(() => {
      const shown: string[] = [];
      Object.assign(window, { shown });
      new MutationObserver(() => {
        const title = document.querySelector("h1")?.textContent;
        if (title) shown.push(title);
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
    await page.goto(windows.address);
    await page.getByRole("heading", { name: "Hola, Ana Lindqvist" }).waitFor();
    const shown = await page.evaluate(() => (window as unknown as { shown: string[] }).shown);
    expect(new Set(shown)).toEqual(new Set(["Hola, Ana Lindqvist"]));
  });

  it("asks Rust for everything when nothing was put there", async () => {
    const page = await windows.blank();
    await pretendToBeTauri(page, null);
    await page.goto(windows.address);
    await page.getByRole("heading", { name: "Welcome to Luminous" }).waitFor();
    await expect
      .poll(() => calls(page))
      .toEqual(["load_settings", "watch_session", "watch_family", "screen_drawn signed_out"]);
  });

  it("has the chosen theme before its own script runs, so that nothing flashes", async () => {
    const page = await windows.blank({ colorScheme: "light" });
    await page.route("**/assets/*.js", (route) => route.abort());
    await page.addInitScript(() => {
      Object.defineProperty(window, "__LUMINOUS_START__", {
        value: { settings: { theme: "dark" } },
      });
    });
    await page.goto(windows.address);
    const background = await page.evaluate(
      () => getComputedStyle(document.documentElement).backgroundColor,
    );
    expect(background).toBe("rgb(18, 26, 28)");
    windows.forgive(/ERR_FAILED/);
  });
});

/** Answers the page's calls as Tauri's own script would, and notes them. */
async function pretendToBeTauri(page: Page, start: object | null) {
  await page.addInitScript(
    ([given, snapshot]) => {
      const noted: string[] = [];
      const callbacks: ((message: unknown) => void)[] = [];
      const answer = (command: string, args: { channel?: { id: number }; screen?: string }) => {
        noted.push(args.screen ? `${command} ${args.screen}` : command);
        if (args.channel && command === "watch_session")
          callbacks[args.channel.id]?.({ message: snapshot, index: 0 });
        return Promise.resolve(
          command === "load_settings" ? { language: "en", theme: "system" } : null,
        );
      };
      const internals = {
        invoke: answer,
        transformCallback: (callback: (message: unknown) => void) => callbacks.push(callback) - 1,
        unregisterCallback: () => undefined,
      };
      Object.assign(window, { __TAURI_INTERNALS__: internals, noted });
      if (given) Object.defineProperty(window, "__LUMINOUS_START__", { value: given });
    },
    [start, start ? scenes.home() : scenes.signed_out_never()] as const,
  );
}

function calls(page: Page): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { noted: string[] }).noted);
}
