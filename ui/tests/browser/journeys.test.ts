import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { hostileHousehold } from "../../src/lib/host/household";
import type { SceneName } from "../../src/lib/host/scenes";
import { HOSTILE } from "../hostile";
import { Windows, type View } from "./window";

const windows = new Windows("dist-preview");

describe("the whole journey", () => {
  it("goes from the first start to the sign-out and back, with the keyboard alone", async () => {
    const page = await windows.open({ scene: "unconfigured" });
    await tabTo(page, "Your family’s address");
    await page.keyboard.type("luminous.example.com");
    await page.keyboard.press("Enter");
    await heading(page, "Welcome to Luminous");

    await tabTo(page, "Continue in your browser");
    await page.keyboard.press("Enter");
    await heading(page, "Your browser is open");

    await tabTo(page, "Cancel");
    await page.keyboard.press("Enter");
    await heading(page, "Welcome to Luminous");
    await tabTo(page, "Continue in your browser");
    await page.keyboard.press("Space");
    await heading(page, "Your browser is open");

    await page.evaluate(() => window.luminousPreview?.comeBack());
    await heading(page, "Almost there");
    await page.evaluate(() => window.luminousPreview?.finish());
    await heading(page, "Welcome, Ana Lindqvist");

    await tabTo(page, "Account", "Shift+Tab");
    await page.keyboard.press("Enter");
    await heading(page, "Account");
    await tabTo(page, "Sign out here and in the browser");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("Stay signed in");
    await page.keyboard.press("Escape");
    expect(await focused(page)).toBe("Sign out here and in the browser");
    await page.keyboard.press("Enter");
    await tabTo(page, "Sign out");
    await page.keyboard.press("Enter");
    await heading(page, "See you soon");
    expect(await lastCall(page)).toEqual({ command: "sign_out", takes: { scope: "and_provider" } });
  });

  it("starts a family, invites somebody and puts a note on the wall, with the keyboard alone", async () => {
    const page = await windows.open({ scene: "onboarding" });
    await heading(page, "Welcome, Ana Lindqvist");
    await tabTo(page, /^Start a family/);
    await page.keyboard.press("Enter");
    await heading(page, "What is your family called?");
    expect(await focused(page)).toBe("The family’s name");
    await page.keyboard.type("The Okafors");
    await page.keyboard.press("Enter");
    await heading(page, "Hello, Ana Lindqvist");
    await page.getByText("It is quiet here").waitFor();

    await tabTo(page, "A note for everybody");
    await page.keyboard.type("Back at eight.");
    await tabTo(page, "Put it on the wall");
    await page.keyboard.press("Enter");
    await page.locator("article").getByText("Back at eight.", { exact: true }).first().waitFor();
    expect(await focused(page)).toBe("A note for everybody");

    await tabTo(page, "Invite somebody", "Shift+Tab");
    await page.keyboard.press("Enter");
    await heading(page, "The Okafors");
    await tabTo(page, "Invite somebody");
    await page.keyboard.press("Enter");
    await tabTo(page, "Make the invitation");
    await page.keyboard.press("Enter");
    await page.getByText("K7M3Q XW92H").waitFor();
    expect(await focused(page)).toBe("An invitation, role: Adult");
  });

  it("joins a family by a code that is pasted as a link, with the keyboard alone", async () => {
    const page = await windows.open({ scene: "onboarding" });
    await tabTo(page, /^I have an invitation/);
    await page.keyboard.press("Space");
    await heading(page, "Your invitation");
    await page.keyboard.insertText("https://family.example/join#K7M3QXW92H");
    expect(await page.getByLabel("Code").inputValue()).toBe("K7M3Q XW92H");
    await page.keyboard.press("Enter");
    await heading(page, "Is this your family?");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Join");
    await page.keyboard.press("Enter");
    await heading(page, "Hello, Ana Lindqvist");
  });

  it("confirms in the browser who asks, and finds the page and its words again", async () => {
    const page = await windows.open({ scene: "home" });
    await tabTo(page, "Family");
    await page.keyboard.press("Enter");
    await heading(page, "The Lindqvists");
    await page.getByRole("button", { name: "Add a child" }).click();
    await page.keyboard.type("Li");
    await page.evaluate(() => {
      if (window.luminousPreview) window.luminousPreview.wantsProof = true;
    });
    await page.getByRole("button", { name: "Change Ben Okafor" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await heading(page, "Confirm that it’s you");
    expect(await page.getByRole("button", { name: "Add", exact: true }).count()).toBe(0);
    await page.evaluate(() => window.luminousPreview?.confirm());
    await heading(page, "The Lindqvists");
    await page.getByText("Done. Ben Okafor is paused.").waitFor();
    expect(await page.getByLabel("The child’s name").inputValue()).toBe("Li");
  });

  it("links a display with the keyboard alone, and takes it back", async () => {
    const page = await windows.open({ scene: "home" });
    await page.getByText("Beside the window").waitFor();
    await tabTo(page, "Link a display", "Shift+Tab");
    await page.keyboard.press("Enter");
    await heading(page, "Link a display");
    await page.keyboard.type("oil-3qx");
    expect(await page.getByLabel("The code on the display").inputValue()).toBe("011 3QX");
    await page.keyboard.press("Enter");
    await heading(page, "Is this your display?");
    expect(await focused(page)).toBe("No, not ours");
    await page.keyboard.press("Tab");
    await page.keyboard.type("47");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Hall");
    await page.keyboard.press("Enter");
    await heading(page, "Hall is home");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Undo the link");
    await page.keyboard.press("Enter");
    await heading(page, "Link a display");
    expect(await lastCall(page)).toEqual({ command: "list_devices" });
  });

  it("reads a code that is pasted, however it is written", async () => {
    const page = await windows.open({ scene: "home" });
    await page.getByRole("button", { name: "Link a display" }).click();
    await page.keyboard.insertText(" k7m\u20133qx ");
    expect(await page.getByLabel("The code on the display").inputValue()).toBe("K7M 3QX");
  });

  it("changes language and theme with the arrow keys", async () => {
    const page = await windows.open({ scene: "home" });
    await tabTo(page, "Settings");
    await page.keyboard.press("Enter");
    await heading(page, "Settings");
    const shown = await page.evaluateHandle(() => {
      const titles = new Set<string>();
      const watch = new MutationObserver(() =>
        titles.add(document.querySelector("h1")?.textContent ?? ""),
      );
      watch.observe(document.body, { childList: true, subtree: true, characterData: true });
      return titles;
    });
    await tabTo(page, "English");
    await page.keyboard.press("ArrowDown");
    await heading(page, "Einstellungen");
    // Its catalog came from a file of its own; no key and no half of a page was seen meanwhile.
    expect(await shown.evaluate((titles) => [...titles])).toEqual(["Einstellungen"]);
    await tabTo(page, "Hell");
    await page.keyboard.press("ArrowDown");
    const theme = await page.evaluate(() => document.documentElement.dataset.theme);
    expect(theme).toBe("dark");
  });

  it("follows the computer's language and theme unless told otherwise", async () => {
    const page = await windows.blank({ locale: "es-ES", colorScheme: "dark" });
    await page.goto(`${windows.address}/?scene=home`);
    await heading(page, "Hola, Ana Lindqvist");
    const background = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await background()).toBe("rgb(18, 26, 28)");
    await page.emulateMedia({ colorScheme: "light" });
    expect(await background()).toBe("rgb(251, 247, 240)");
  });
});

describe("copying", () => {
  it("puts the link into the clipboard when the browser is willing", async () => {
    const page = await windows.open(
      { scene: "waiting" },
      { permissions: ["clipboard-read", "clipboard-write"] },
    );
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Link copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^https:\/\/login\./);
  });

  it("offers the link for copying by hand when it is not", async () => {
    const page = await windowWithoutClipboard({ scene: "waiting" });
    await page.getByRole("button", { name: "Copy link" }).click();
    const field = page.getByLabel("Link for your browser");
    await field.focus();
    const selected = await field.evaluate((element: HTMLTextAreaElement) =>
      element.value.slice(element.selectionStart, element.selectionEnd),
    );
    expect(selected).toBe(await field.inputValue());
  });
});

describe("u4 text from outside", () => {
  const places: SceneName[] = ["home", "signed_out_back", "storage_locked"];

  it("does nothing but stand there, wherever the family's server sends it", async () => {
    const page = await windows.open({ scene: "home_long" });
    for (const text of HOSTILE) {
      const household = hostileHousehold(text);
      await page.evaluate((hostile) => {
        if (window.luminousPreview) window.luminousPreview.household = hostile;
        window.dispatchEvent(new Event("focus"));
      }, household);
      await page.getByRole("button", { name: "Home" }).click();
      await page.locator("article").getByText(text, { exact: true }).first().waitFor();
      await page.getByRole("button", { name: "Family" }).click();
      await page.getByRole("main").getByText(text, { exact: true }).first().waitFor();
      expect(await page.evaluate(() => "hurt" in window)).toBe(false);
      expect(await page.locator("#app :is(script, img, iframe, a, style, math)").count()).toBe(0);
    }
  });

  it.each(places)("does nothing but stand there on %s", async (scene) => {
    const page = await windowWithoutClipboard({ scene });
    const details = page.getByLabel("Details for whoever helps you");
    for (const text of HOSTILE) {
      await page.evaluate((hostile) => {
        const host = window.luminousPreview;
        if (!host) throw new Error("there is no preview host");
        const error = {
          code: "provider.config" as const,
          message: hostile,
          reason: hostile,
          correlation_id: hostile,
        };
        const account = {
          id: hostile,
          name: hostile,
          email: hostile,
          identity_provider: hostile,
          signed_in_at_ms: 0,
        };
        const { stage } = host.snapshot;
        const next =
          stage.kind === "signed_out"
            ? { ...stage, last_account: account }
            : stage.kind === "signed_in" || stage.kind === "storage_blocked"
              ? { ...stage, account }
              : stage;
        const hints = [{ domain_hint: hostile, name: hostile }];
        const provider = {
          host: hostile,
          demo: true,
          changeable: true,
          hints,
          password_reset: true,
          profile_edit: true,
        };
        host.show({ stage: next, problem: error, provider });
      }, text);
      await page.getByText(text, { exact: true }).first().waitFor();
      if (!(await details.isVisible())) await page.getByText("Copy details").click();
      expect(await details.inputValue()).toContain(`\nMessage: ${text}\n`);
      expect(await page.evaluate(() => "hurt" in window)).toBe(false);
      expect(await page.locator("#app :is(script, img, iframe, a, style, math)").count()).toBe(0);
    }
  });
});

describe("u5 the page itself", () => {
  it("reaches nothing outside: no request, no frame, no script made from text", async () => {
    const page = await windows.open({ scene: "home" });
    const results = await page.evaluate(async () => {
      const attempt = (run: () => unknown) =>
        Promise.resolve()
          .then(run)
          .then(
            () => "allowed",
            () => "refused",
          );
      const inline = document.createElement("script");
      inline.textContent = "window.hurt = true";
      document.head.append(inline);
      return {
        request: await attempt(() => fetch("https://evil.example/")),
        own: await attempt(() => fetch("/")),
        // Later, as the debugger that runs this may do what the page may not.
        code: await new Promise((resolve) =>
          setTimeout(() => resolve(attempt(() => window.eval("window.hurt = true") as unknown))),
        ),
        hurt: "hurt" in window,
      };
    });
    expect(results).toEqual({ request: "refused", own: "refused", code: "refused", hurt: false });
    windows.forgive(/Content Security Policy/);
  });
});

/** A window in which nothing can be copied by itself. */
async function windowWithoutClipboard(view: View) {
  const page = await windows.blank();
  await page.addInitScript(() =>
    Object.defineProperty(navigator, "clipboard", { value: undefined }),
  );
  await windows.go(page, view);
  return page;
}

/** Presses Tab until a control of this name has the focus, and checks that one can see it. */
async function tabTo(page: Page, name: string | RegExp, key = "Tab") {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press(key);
    const reached = await focused(page);
    if (typeof name === "string" ? reached !== name : !name.test(reached)) continue;
    const outline = await page.evaluate(() => {
      const element = document.activeElement;
      const ring = element?.closest(".tile") ?? element;
      return ring ? getComputedStyle(ring).outlineStyle : "none";
    });
    expect(outline, `the focus on ${String(name)}`).toBe("solid");
    return;
  }
  throw new Error(`the keyboard does not reach ${String(name)}`);
}

/** The name of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const label =
      element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
        ? element.labels?.[0]
        : null;
    return (label ?? element)?.textContent.trim() ?? "";
  });
}

async function heading(page: Page, name: string) {
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}

function lastCall(page: Page) {
  return page.evaluate(() =>
    window.luminousPreview?.calls.filter(({ command }) => command !== "screen_drawn").at(-1),
  );
}
