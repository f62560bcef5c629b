import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import type { KioskSceneName } from "../../src/lib/host/kiosk_scenes";
import type { SceneName } from "../../src/lib/host/scenes";
import type { Language } from "../../src/lib/wire/Language";
import type { Theme } from "../../src/lib/wire/Theme";
import { serve, type Site } from "./serve";

/** Where the system's Chromium is; Debian's place unless the environment says otherwise. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-extensions",
  "--disable-sync",
  "--no-first-run",
];

/** The window's size when it opens, and the smallest it can be made. */
export const DEFAULT_SIZE = { width: 960, height: 680 };
export const SMALLEST_SIZE = { width: 420, height: 560 };

/** What to show. */
export interface View {
  scene: SceneName;
  language?: Language;
  theme?: Theme;
  /** More of the address, as `elsewhere=1`. */
  more?: string;
}

/** What a wall is to show, and at which hour of the day. */
export interface WallView {
  scene: KioskSceneName;
  language?: Language;
  theme?: Theme;
  hour?: number;
}

/** A Chromium and a site for the tests of one file. A page that complains fails its test. */
export class Windows {
  #browser: Browser | undefined;
  #site: Site | undefined;
  #pages: Page[] = [];
  #complaints: string[] = [];

  constructor(folder: "dist" | "dist-preview") {
    beforeAll(async () => {
      this.#site = await serve(folder);
      this.#browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
    });
    afterEach(async () => {
      const complaints = this.#complaints.splice(0);
      await Promise.all(this.#pages.splice(0).map((page) => page.context().close()));
      expect(complaints).toEqual([]);
    });
    afterAll(async () => {
      await this.#browser?.close();
      this.#site?.close();
    });
  }

  /** Takes back complaints that a test provoked; there must have been one. */
  forgive(expected: RegExp): void {
    const forgiven = this.#complaints.filter((complaint) => expected.test(complaint));
    expect(forgiven.length).toBeGreaterThan(0);
    this.#complaints = this.#complaints.filter((complaint) => !expected.test(complaint));
  }

  /** The address of the pages. */
  get address(): string {
    return this.#site?.address ?? "";
  }

  /** An empty page. */
  async blank(options: BrowserContextOptions = {}): Promise<Page> {
    if (!this.#browser) throw new Error("the browser has not started");
    const context = await this.#browser.newContext({ viewport: DEFAULT_SIZE, ...options });
    const page = await context.newPage();
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
    page.on("console", (message) => {
      // A refusal by the content security policy is an error in the console, too.
      if (["error", "warning"].includes(message.type())) this.#complaints.push(message.text());
    });
    // As tauri.conf.json has it: freezePrototype.
    await page.addInitScript(() => Object.freeze(Object.prototype));
    this.#pages.push(page);
    return page;
  }

  /** The window at one moment. */
  async open(view: View, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.blank({ reducedMotion: "reduce", ...options });
    await this.go(page, view);
    return page;
  }

  /** Shows another moment in a window that is open. */
  async go(
    page: Page,
    { scene, language = "en", theme = "light", more = "" }: View,
  ): Promise<void> {
    await page.goto(`${this.address}/?scene=${scene}&language=${language}&theme=${theme}&${more}`);
    await page.waitForSelector("h1", { state: "attached" });
    await settle(page);
  }
}

/** A wall at one moment, in a page of its own. */
export async function hang(windows: Windows, page: Page, view: WallView): Promise<void> {
  const { scene, language = "en", theme = "light", hour = 14 } = view;
  await page.clock.setFixedTime(new Date(2026, 10, 3, hour, 5));
  await page.goto(
    `${windows.address}/kiosk.html?scene=${scene}&language=${language}&theme=${theme}`,
  );
  await page.waitForSelector("h1", { state: "attached" });
  await settle(page);
}

/** Brings every animation to its end. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.finish();
  });
}
