import { mkdirSync } from "node:fs";

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { scenes, type SceneName } from "../../src/lib/host/scenes";
import type { Language } from "../../src/lib/wire/Language";
import { DEFAULT_SIZE, settle, SMALLEST_SIZE, Windows } from "./window";

const PICTURES = "../target/ui-screens";
const EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What the theme can break. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** Every screen: each moment as it is, and the pages behind the menu. */
interface Screen {
  name: string;
  scene: SceneName;
  /** The buttons to press, counted among those in the header or on the page. */
  press?: readonly string[];
  /** What to type after that. */
  type?: string;
  /** More of the address. */
  more?: string;
}

const FAMILY = "nav button:nth-child(2)";
const ACCOUNT = "nav button:nth-child(3)";
const INVITE = "section:nth-of-type(2) > div button";
const LINK = "section:last-of-type > div > button";
const JOIN = ".words .ways button:nth-child(1)";

const screens: Screen[] = [
  ...(Object.keys(scenes) as SceneName[]).map((scene) => ({ name: scene, scene })),
  { name: "account", scene: "home", press: [ACCOUNT] },
  { name: "account_memory", scene: "home_memory", press: [ACCOUNT] },
  { name: "account_unserved", scene: "home_unserved", press: ["nav button:nth-child(2)"] },
  { name: "account_data", scene: "home", press: [ACCOUNT, "section:nth-of-type(3) button"] },
  {
    name: "account_confirm",
    scene: "home",
    press: [ACCOUNT, ".ways li:nth-child(3) button"],
  },
  { name: "settings", scene: "home", press: ["nav button:nth-child(4)"] },
  { name: "settings_outside", scene: "signed_out_never", press: [".corner button"] },
  { name: "onboarding_begin", scene: "onboarding", press: [".words .ways button:nth-child(2)"] },
  { name: "onboarding_join", scene: "onboarding", press: [JOIN], type: "k7m3qxw9" },
  {
    name: "onboarding_wrong",
    scene: "onboarding",
    press: [JOIN, "form button[type=submit]"],
  },
  {
    name: "onboarding_offer",
    scene: "onboarding",
    press: [JOIN],
    type: "k7m3qxw92h\n",
  },
  { name: "family", scene: "home", press: [FAMILY] },
  { name: "family_new", scene: "home_new", press: [FAMILY] },
  { name: "family_child", scene: "home_child", press: [FAMILY] },
  { name: "family_long", scene: "home_long", press: [FAMILY] },
  { name: "family_member", scene: "home", press: [FAMILY, "li:nth-child(2) .ways button"] },
  {
    name: "family_remove",
    scene: "home_long",
    press: [FAMILY, "li:nth-child(2) .ways button", ".panel .row button:last-of-type"],
  },
  { name: "family_profile", scene: "home", press: [FAMILY, "li:nth-child(3) .ways button"] },
  { name: "family_invite", scene: "home", press: [FAMILY, INVITE] },
  { name: "family_fresh", scene: "home", press: [FAMILY, INVITE, ".new .row button:first-child"] },
  {
    name: "family_end",
    scene: "home_long",
    press: [FAMILY, "section:last-of-type li:last-child button"],
  },
  {
    name: "displays_change",
    scene: "home_long",
    press: ["section:last-of-type li:first-child .ways button:last-child"],
  },
  { name: "link", scene: "home", press: [LINK], type: "k7m3" },
  { name: "link_wrong", scene: "home", press: [LINK, "form button[type=submit]"] },
  { name: "link_check", scene: "home", press: [LINK], type: "k7m3qx\n" },
  { name: "link_former", scene: "home", press: [LINK], type: "k7m3qx\n", more: "former=1" },
  { name: "link_elsewhere", scene: "home", press: [LINK], type: "k7m3qx\n", more: "elsewhere=1" },
  { name: "link_declined", scene: "home", press: [LINK], type: "k7m3qx\n\n" },
  { name: "arrival", scene: "home", more: "arrives=1" },
  { name: "ended", scene: "home", more: "ends=1" },
];

const windows = new Windows("dist-preview");
mkdirSync(PICTURES, { recursive: true });

async function go(page: Page, screen: Screen, language: Language) {
  const { scene, press = [], type, more = "" } = screen;
  await windows.go(page, { scene, language, more });
  for (const selector of press) await page.locator(selector).click();
  if (type) await page.keyboard.type(type);
  await drawn(page);
  await settle(page);
}

// Each screen is brought once in each language, as that is what takes the time. What differs by the
// language is how long its words are; what differs by the theme is its colours; the rest of the
// rules is about what stands on the screen, and that is the same in all of them.
describe.each(screens)("$name", (screen) => {
  const picture = (page: Page, view: string) =>
    page.screenshot({ path: `${PICTURES}/${screen.name}.${view}.png` });

  it("breaks no rule of WCAG 2.2 AA by day and by night, and fits in three languages", async () => {
    const page = await windows.open({ scene: screen.scene });
    await go(page, screen, "en");
    await picture(page, "en.light");
    expect(await violations(page, EVERYTHING), "light").toEqual([]);
    await byNight(page);
    await picture(page, "en.dark");
    expect(await violations(page, COLOURS), "dark").toEqual([]);
    await fits(page, "en");

    await page.setViewportSize(SMALLEST_SIZE);
    await go(page, screen, "de");
    await picture(page, "de.narrow.light");
    await fits(page, "de");
    await byNight(page);
    await picture(page, "de.narrow.dark");

    await go(page, screen, "es");
    await fits(page, "es");
  });
});

/** Checks the smallest window, twice the zoom and twice the text. */
async function fits(page: Page, language: Language) {
  await page.setViewportSize(SMALLEST_SIZE);
  expect(await tooSmallTargets(page), language).toEqual([]);
  expect(await sticksOut(page), `smallest, ${language}`).toEqual([]);
  await page.setViewportSize({ width: DEFAULT_SIZE.width / 2, height: DEFAULT_SIZE.height / 2 });
  expect(await sticksOut(page), `zoom, ${language}`).toEqual([]);
  await page.setViewportSize(SMALLEST_SIZE);
  await textSize(page, "200%");
  expect(await sticksOut(page), `text, ${language}`).toEqual([]);
  await textSize(page, "");
}

function textSize(page: Page, size: string): Promise<void> {
  return page.evaluate((s) => document.documentElement.style.setProperty("font-size", s), size);
}

/** The dark theme, as the settings would bring it. */
async function byNight(page: Page): Promise<void> {
  await page.evaluate(() => (document.documentElement.dataset.theme = "dark"));
  await settle(page);
  expect(await backgroundOf(page)).toBe("rgb(18, 26, 28)");
}

describe.each(["de", "es"] as const)("the names of controls in %s", (language) => {
  it.each(["signed_out_back", "home", "onboarding"] as const)(
    "keep the rules on %s",
    async (scene) => {
      const page = await windows.open({ scene, language });
      expect(await violations(page, EVERYTHING)).toEqual([]);
    },
  );
});

describe("the checks themselves", () => {
  it("find what is pale, what sticks out and what is too small for a finger", async () => {
    const page = await windows.open({ scene: "home" });
    await page.evaluate(() => {
      const bad = document.createElement("button");
      bad.textContent = "pale";
      for (const [name, value] of Object.entries({
        position: "absolute",
        left: "940px",
        width: "43px",
        color: "#eee",
        background: "#fff",
      })) {
        bad.style.setProperty(name, value);
      }
      document.querySelector("main")?.append(bad);
    });
    expect((await violations(page, EVERYTHING)).join()).toContain("color-contrast");
    await byNight(page);
    expect((await violations(page, COLOURS)).join()).toContain("color-contrast");
    expect((await sticksOut(page)).join()).toContain("<button");
    expect(await tooSmallTargets(page)).toHaveLength(1);
  });
});

/** Waits until nothing has changed for three frames: lists and pages come after the first one. */
function drawn(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let quiet = 0;
        const watch = new MutationObserver(() => (quiet = 0));
        watch.observe(document.body, { childList: true, subtree: true, characterData: true });
        const count = () => {
          quiet += 1;
          if (quiet < 4) return void requestAnimationFrame(count);
          watch.disconnect();
          resolve();
        };
        requestAnimationFrame(count);
      }),
  );
}

/** What axe finds, one line each. The policy forbids script tags, so axe comes in by the debugger. */
async function violations(page: Page, rules: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found = await page.evaluate(
    (runOnly) =>
      (window as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly,
        resultTypes: ["violations"],
      }),
    rules,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ""}`),
  );
}

function backgroundOf(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
}

/** Whatever reaches beyond the window's sides. The picture is cut on purpose. */
function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll("body *:not(.scene *)")].filter((element) => {
      if (element.closest("dialog:not([open]), .for-listeners")) return false;
      const { left, right } = element.getBoundingClientRect();
      if (right > width + 0.5 || left < -0.5) return true;
      // One line to type into scrolls by nature.
      if (element.localName === "input") return false;
      const { scrollWidth, clientWidth } = element;
      return clientWidth > 0 && scrollWidth > clientWidth + 1;
    });
    return out.map((element) => element.outerHTML.slice(0, 120));
  });
}

/** Everything to press that is smaller than a finger: 44 px in either direction. */
function tooSmallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const targets = [
      ...document.querySelectorAll("button, input[type=text], select, textarea, .tile"),
    ];
    const small = targets.filter((element) => {
      const { width, height } = element.getBoundingClientRect();
      return element.checkVisibility() && (width < 44 || height < 44);
    });
    return small.map((element) => element.outerHTML.slice(0, 120));
  });
}
