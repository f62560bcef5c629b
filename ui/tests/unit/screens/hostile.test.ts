import { cleanup, fireEvent, screen } from "@testing-library/svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { hostileHousehold, memberAs } from "../../../src/lib/host/household";
import { demoProvider, problem, scenes, type SceneName } from "../../../src/lib/host/scenes";
import type { CreatedInvite } from "../../../src/lib/wire/CreatedInvite";
import type { InvitePreview } from "../../../src/lib/wire/InvitePreview";
import { HOSTILE } from "../../hostile";
import { show, withAccount } from "../show";

afterEach(() => vi.unstubAllGlobals());

describe("u4 text from outside stays text", () => {
  it.each(HOSTILE)("as a name: %s", (text) => {
    show(withAccount({ name: text, email: text }));
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(`Hello, ${text}`);
    expectNoMarkup();
  });

  it.each(HOSTILE)("as a provider and its host: %s", async (text) => {
    const home = scenes.home();
    if (home.stage.kind !== "signed_in") throw new Error("not home");
    const account = { ...home.stage.account, identity_provider: text };
    show({ ...home, stage: { ...home.stage, account }, provider: { ...demoProvider, host: text } });
    await fireEvent.click(screen.getByRole("button", { name: "Account" }));
    expect(
      screen.getAllByText(
        (_, element) => element?.tagName === "BDI" && element.textContent === text,
      ),
    ).toHaveLength(2);
    expectNoMarkup();
  });

  it.each(HOSTILE)("as the last person, before anybody is signed in: %s", (text) => {
    const back = scenes.signed_out_back();
    if (back.stage.kind !== "signed_out" || !back.stage.last_account) throw new Error("not back");
    const last_account = { ...back.stage.last_account, name: text };
    show({ ...back, stage: { ...back.stage, last_account } });
    expect(document.body.textContent).toContain(text);
    expectNoMarkup();
  });
});

describe("u4 text from the family's server stays text", () => {
  it.each(HOSTILE)("in names, notes, displays and invitations: %s", async (text) => {
    const host = show(asMemberOf(text));
    host.household = hostileHousehold(text);
    await fireEvent.focus(window);
    await screen.findAllByText(text, exactly);
    expect(document.body.textContent).toContain("Last heard of");
    expectNoMarkup();
    await fireEvent.click(screen.getByRole("button", { name: "Family" }));
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(text);
    const [change] = screen.getAllByRole("button", { name: /^Change/ });
    if (!change) throw new Error("nobody can be changed");
    await fireEvent.click(change);
    await fireEvent.click(screen.getByRole("button", { name: "Remove from the family" }));
    expect(document.querySelector("dialog[open] h2")?.textContent).toContain(text);
    expectNoMarkup();
    await fireEvent.click(screen.getByRole("button", { name: "Delete the family" }));
    expect(screen.getByText(/Nobody can bring it back/).previousElementSibling?.textContent).toBe(
      `Delete ${text} for good?`,
    );
    expectNoMarkup();
  });

  it.each(HOSTILE)(
    "in an invitation's code and link, and in the place of a file: %s",
    async (text) => {
      const host = show("home");
      const answer = host.call.bind(host);
      host.call = async (command, ...takes) => {
        const answered = await answer(command, ...takes);
        if (command === "export_my_data") return text;
        if (command !== "create_invite") return answered;
        return { ...(answered as CreatedInvite), code: text, link: text } as typeof answered;
      };
      await fireEvent.click(screen.getByRole("button", { name: "Family" }));
      await fireEvent.click(screen.getByRole("button", { name: "Invite somebody" }));
      await fireEvent.click(screen.getByRole("button", { name: "Make the invitation" }));
      await screen.findByText(text, exactly);
      expect(screen.getByLabelText<HTMLTextAreaElement>("Link for the invitation").value).toBe(
        text,
      );
      expectNoMarkup();
      await fireEvent.click(screen.getByRole("button", { name: "Account" }));
      await fireEvent.click(screen.getByRole("button", { name: "Export my data" }));
      await screen.findByText(text, exactly);
      expectNoMarkup();
    },
  );

  it.each(HOSTILE)("in the offer of an invitation: %s", async (text) => {
    const host = show("onboarding");
    const answer = host.call.bind(host);
    host.call = async (command, ...takes) => {
      const answered = await answer(command, ...takes);
      if (command !== "preview_invite") return answered;
      const offer = { ...(answered as InvitePreview), family_name: text, invited_by: text };
      return offer;
    };
    await fireEvent.click(screen.getByRole("button", { name: /I have an invitation/ }));
    const code = screen.getByLabelText("Code");
    await fireEvent.input(code, { target: { value: "K7M3QXW92H" } });
    await fireEvent.click(screen.getByRole("button", { name: "Look at it" }));
    await screen.findByText(text, exactly);
    expect(document.body.textContent).toContain(`${text} invites you.`);
    expectNoMarkup();
  });

  it.each(HOSTILE)("in the name of a provider to go straight to: %s", (text) => {
    const hints = [{ domain_hint: text, name: text }];
    show({ ...scenes.signed_out_never(), provider: { ...demoProvider, hints } });
    expect(document.body.textContent).toContain(`Continue with ${text}`);
    expectNoMarkup();
  });
});

describe("u4 the provider's error description stays text", () => {
  const places: SceneName[] = ["signed_out_back", "waiting", "home", "storage_locked"];
  const everywhere = places.flatMap((place) => HOSTILE.map((text) => [place, text] as const));

  it.each(everywhere)("on %s, which does not show it by itself: %s", (place, text) => {
    showProblem(place, "harmless");
    const elements = elementNames();
    cleanup();
    showProblem(place, text);
    screen.getByText("The sign-in service does not accept Luminous the way it is set up.");
    expect(document.body.textContent).not.toContain(text);
    expect(elementNames()).toEqual(elements);
    expectNoMarkup();
  });

  it.each(everywhere)("on %s, in the details to be copied by hand: %s", async (place, text) => {
    refuseCopying();
    showProblem(place, "harmless");
    await detailsByHand();
    const elements = elementNames();
    cleanup();
    showProblem(place, text);
    expect(await detailsByHand()).toEqual([
      "Code: provider.config",
      `Reason: ${text}`,
      `Correlation id: ${text}`,
      expect.stringMatching(/^Time: \d{4}-/),
      `Message: ${text}`,
      "Luminous: 0.0.0-test",
    ]);
    expect(elementNames()).toEqual(elements);
    expectNoMarkup();
  });

  it.each(HOSTILE)("when it comes with the keyring's trouble: %s", async (text) => {
    refuseCopying();
    show({ ...scenes.home(), storage: { kind: "unusable", problem: hostileProblem(text) } });
    expect(await detailsByHand()).toContain(`Message: ${text}`);
    expectNoMarkup();
  });

  it.each(HOSTILE)("on its way to the clipboard: %s", async (text) => {
    const writeText = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText }, languages: [] });
    showProblem("home", text);
    await fireEvent.click(screen.getByRole("button", { name: "Copy details" }));
    await screen.findByRole("button", { name: "Details copied" });
    expect(writeText.mock.lastCall?.[0].split("\n")).toContain(`Message: ${text}`);
    expectNoMarkup();
  });
});

/** Every letter of a text, and only by who holds it themselves. */
const exactly = { normalizer: (text: string) => text };

function asMemberOf(name: string) {
  const home = scenes.home();
  if (home.stage.kind !== "signed_in") throw new Error("not home");
  return { ...home, stage: { ...home.stage, family: memberAs("owner", name) } };
}

function hostileProblem(text: string) {
  return { ...problem("provider.config"), message: text, reason: text, correlation_id: text };
}

function showProblem(place: SceneName, text: string) {
  show({ ...scenes[place](), problem: hostileProblem(text) });
}

function refuseCopying() {
  const writeText = () => Promise.reject(new Error("not allowed"));
  vi.stubGlobal("navigator", { clipboard: { writeText }, languages: [] });
}

/** Asks for the details while the clipboard refuses; answers the lines that are shown instead. */
async function detailsByHand() {
  await fireEvent.click(screen.getByRole("button", { name: "Copy details" }));
  const field = await screen.findByLabelText<HTMLTextAreaElement>("Details for whoever helps you");
  return field.value.split("\n");
}

function elementNames() {
  return Array.from(document.body.querySelectorAll("*"), (element) => element.tagName);
}

function expectNoMarkup() {
  expect(
    document.body.querySelectorAll("script, img, iframe, object, embed, a, style"),
  ).toHaveLength(0);
  for (const element of document.body.querySelectorAll("*")) {
    const handlers = element.getAttributeNames().filter((name) => name.startsWith("on"));
    expect(handlers).toEqual([]);
  }
}
