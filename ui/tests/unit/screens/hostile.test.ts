import { screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { scenes } from "../../../src/lib/host/scenes";
import { HOSTILE } from "../../hostile";
import { show, withAccount } from "../show";

describe("u4 text from outside stays text", () => {
  it.each(HOSTILE)("as a name: %s", (text) => {
    show(withAccount({ name: text, email: text }));
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(`Hello, ${text}`);
    expectNoMarkup();
  });

  it.each(HOSTILE)("as a provider and its host: %s", (text) => {
    const home = scenes.home();
    if (home.stage.kind !== "signed_in") throw new Error("not home");
    const account = { ...home.stage.account, identity_provider: text };
    show({ ...home, stage: { ...home.stage, account }, provider: { host: text, demo: false } });
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

function expectNoMarkup() {
  expect(
    document.body.querySelectorAll("script, img, iframe, object, embed, a, style"),
  ).toHaveLength(0);
  for (const element of document.body.querySelectorAll("*")) {
    const handlers = element.getAttributeNames().filter((name) => name.startsWith("on"));
    expect(handlers).toEqual([]);
  }
}
