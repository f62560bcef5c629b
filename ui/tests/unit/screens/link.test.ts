import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { challenge, type FakeHost } from "../../../src/lib/host/fake";
import { display, freshDisplay } from "../../../src/lib/host/household";
import { problem, type SceneName } from "../../../src/lib/host/scenes";
import type { ErrorCode } from "../../../src/lib/wire/ErrorCode";
import { HOSTILE } from "../../hostile";
import { show, wanted, wishes } from "../show";

afterEach(() => localStorage.clear());

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const heading = () => screen.getByRole("heading", { level: 1 }).textContent.trim();
const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name);
const type = (name: string, value: string) => fireEvent.input(field(name), { target: { value } });
const CODE = "The code on the display";
const NUMBER = "The number on the display";

async function begin(change: Parameters<typeof challenge>[0] = {}): Promise<FakeHost> {
  const host = show("home");
  host.challenge = challenge(change);
  await screen.findByText("Kitchen", { selector: "bdi" });
  await press("Link a display");
  return host;
}

async function lookUp(change: Parameters<typeof challenge>[0] = {}): Promise<FakeHost> {
  const host = await begin(change);
  await type(CODE, "k7m3qx");
  await press("Go on");
  return host;
}

async function answer(number = "47", name = "Kitchen 2") {
  await type(NUMBER, number);
  await type("Name", name);
  await press("Link this display");
}

describe("the way to a new display", () => {
  it.each<[SceneName, boolean]>([
    ["home", true],
    ["home_checking", true],
    ["home_child", false],
  ])("in %s is offered: %s", async (scene, offered) => {
    show(scene);
    await screen.findByText("The soup is in the fridge.", { selector: "p" });
    expect(screen.queryByRole("button", { name: "Link a display" }) !== null).toBe(offered);
  });
});

describe("the six boxes", () => {
  it.each([
    ["k7m3qx", "K7M 3QX"],
    ["K7M-3QX", "K7M 3QX"],
    [" k7m 3qx ", "K7M 3QX"],
    ["\uff2b\uff17\uff2d\uff13\uff31\uff38", "K7M 3QX"],
    ["oil oil", "011 011"],
    ["k7m", "K7M"],
  ])("d20 read %j as %j", async (typed, shown) => {
    await begin();
    await type(CODE, typed);
    expect(field(CODE).value).toBe(shown);
  });

  it("have the focus at once, and send what is shown", async () => {
    const host = await begin();
    await waitFor(() => expect(document.activeElement).toBe(field(CODE)));
    await type(CODE, "oil3qx");
    await press("Go on");
    expect(wanted(host).at(-1)).toEqual({
      command: "look_up_link",
      takes: { request: { user_code: "011 3QX" } },
    });
  });

  it.each([
    ["", "Please enter the code."],
    ["k7m3q", "A code has six letters and digits, and never a U."],
    ["k7m3qxx", "A code has six letters and digits, and never a U."],
    ["k7m3qu", "A code has six letters and digits, and never a U."],
  ])("d20 do not send %j", async (typed, sentence) => {
    const host = await begin();
    await type(CODE, typed);
    await press("Go on");
    screen.getByText(sentence);
    expect(field(CODE).getAttribute("aria-invalid")).toBe("true");
    expect(wishes(host)).toEqual([]);
  });
});

describe("d14 what a display says of itself", () => {
  it("is shown before anybody says yes, and no has the focus", async () => {
    await lookUp();
    await screen.findByText("Luminous on kitchen-pi");
    for (const words of ["Raspberry Pi 5", "0.1.0", "Shown for 3 minutes"]) screen.getByText(words);
    screen.getByText("The same as this computer’s");
    const no = screen.getByRole("button", { name: "No, not ours" });
    await waitFor(() => expect(document.activeElement).toBe(no));
    expect(field(NUMBER).value).toBe("");
  });

  it("d16 from another network wants one more step, which begins at no", async () => {
    await lookUp({ same_network: false });
    await screen.findByText("It uses another network than this computer.");
    expect(heading()).toBe("This display is somewhere else");
    expect(screen.queryByLabelText(NUMBER)).toBeNull();
    const no = screen.getByRole("button", { name: "No, not ours" });
    await waitFor(() => expect(document.activeElement).toBe(no));
    await press("I can see it");
    await screen.findByLabelText(NUMBER);
  });

  it.each(HOSTILE)("u4 stays text: %s", async (text) => {
    await lookUp({
      device_name: text,
      device_model: text,
      app_version: text,
      former: { id: "d-9", name: text, room: text },
    });
    await screen.findByLabelText(NUMBER);
    expect(document.querySelector("dl bdi")?.textContent).toBe(text);
    expect(document.querySelectorAll("script, img, iframe, a, body style, math")).toHaveLength(0);
  });
});

describe("yes", () => {
  it("needs the number and a name, and tells that it is done", async () => {
    const host = await lookUp();
    await screen.findByLabelText(NUMBER);
    await press("Link this display");
    screen.getByText("Please enter both digits.");
    await type(NUMBER, "4x7 9");
    expect(field(NUMBER).value).toBe("47");
    await press("Link this display");
    screen.getByText("Please enter a name.");
    await type("Name", " Hall ");
    await type("Where it hangs, if you like", " Beside the door ");
    await press("Link this display");
    expect(wanted(host).at(-1)).toEqual({
      command: "confirm_link",
      takes: {
        request: { challenge: "c-1", number: "47", name: "Hall", room: "Beside the door" },
      },
    });
    await waitFor(() => expect(heading()).toBe("Hall is home"));
    await press("Undo the link");
    await waitFor(() => expect(heading()).toBe("Link a display"));
    expect(wishes(host).at(-1)).toBe("undo_link");
  });

  it("offers a display its former place again", async () => {
    await lookUp({ former: { id: "d-9", name: "Playroom", room: "Upstairs" } });
    await screen.findByLabelText(NUMBER);
    expect(field("Name").value).toBe("Playroom");
    expect(field("Where it hangs, if you like").value).toBe("Upstairs");
    screen.getByText(/It hung in your home before, as Playroom/);
  });

  it("d15 with the wrong number burns the code, and says so where the next one is typed", async () => {
    await lookUp();
    await screen.findByLabelText(NUMBER);
    await answer("48");
    await screen.findByText(/^That was not the number on the display/);
    expect(heading()).toBe("Link a display");
    expect(field(CODE).value).toBe("");
  });

  it("can be said again when only the server could not be reached", async () => {
    const host = await lookUp();
    await screen.findByLabelText(NUMBER);
    host.refuse("confirm_link", problem("server.unreachable"));
    await answer();
    await screen.findByText("Your family’s server cannot be reached.");
    expect(field(NUMBER).value).toBe("47");
    await press("Link this display");
    await waitFor(() => expect(heading()).toBe("Kitchen 2 is home"));
  });

  it("d10 is too late after the challenge's end", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await lookUp();
    await screen.findByLabelText(NUMBER);
    vi.setSystemTime(Date.now() + 180_000);
    await screen.findByText(/^The time to answer is over/, undefined, { timeout: 3000 });
    vi.useRealTimers();
    expect(screen.queryByLabelText(NUMBER)).toBeNull();
    await press("Type the new code");
    await waitFor(() => expect(heading()).toBe("Link a display"));
  });

  it("d10 can be answered on a computer whose clock is far ahead of the server's", async () => {
    await lookUp({ expires_at_ms: Date.now() - 3_600_000 });
    await screen.findByLabelText(NUMBER);
    await answer();
    await waitFor(() => expect(heading()).toBe("Kitchen 2 is home"));
  });

  it.each<ErrorCode>([
    "device.code_format",
    "device.code_invalid",
    "device.rate_limited",
    "device.proximity_required",
    "device.capacity",
  ])("is not come to after %s, which is said in words", async (code) => {
    const host = await begin();
    host.refuse("look_up_link", problem(code));
    await type(CODE, "k7m3qx");
    await press("Go on");
    await screen.findByRole("button", { name: "Copy details" });
    expect(heading()).toBe("Link a display");
    expect(field(CODE).value).toBe("K7M 3QX");
  });
});

it("no is said to the server, and nothing is linked", async () => {
  const host = await lookUp();
  await screen.findByLabelText(NUMBER);
  await press("No, not ours");
  await waitFor(() => expect(heading()).toBe("You said no"));
  expect(wanted(host).at(-1)).toEqual({
    command: "decline_link",
    takes: { request: { challenge: "c-1" } },
  });
  expect(host.household.devices).toHaveLength(2);
});

describe("the displays at home", () => {
  async function change(): Promise<FakeHost> {
    const host = show("home");
    await screen.findByText("Kitchen", { selector: "bdi" });
    await press("Change Kitchen");
    return host;
  }

  it("can be renamed and moved", async () => {
    const host = await change();
    await type("Name", "Kitchen wall");
    await type("Where it hangs, if you like", "");
    await press("Save");
    expect(wanted(host).at(-1)).toEqual({
      command: "change_device",
      takes: { deviceId: "d-1", request: { name: "Kitchen wall", room: "" } },
    });
    await screen.findByText("Done. The display is called Kitchen wall.");
  });

  it("d19 can be signed out, once somebody has said yes", async () => {
    const host = await change();
    await press("Sign out this display");
    const dialog = document.querySelector("dialog[open]");
    expect(dialog?.textContent).toContain("forgets the notes and the names");
    expect(wishes(host)).toEqual([]);
    await fireEvent.click([...(dialog?.querySelectorAll("button") ?? [])].at(-1) as Element);
    expect(wanted(host).at(-1)).toEqual({ command: "revoke_device", takes: { deviceId: "d-1" } });
    await screen.findByText(/^Done\. Kitchen is signed out/);
    expect(screen.queryByRole("button", { name: "Change Kitchen" })).toBeNull();
  });

  it("can be renewed", async () => {
    const host = await change();
    await press("Renew");
    expect(wanted(host).at(-1)).toEqual({ command: "renew_device", takes: { deviceId: "d-1" } });
    await screen.findByText("Done. Kitchen can stay for another while.");
  });

  it("are only looked at by those who may not change them", async () => {
    show("home_checking");
    await screen.findByText("Kitchen", { selector: "bdi" });
    expect(screen.queryByRole("button", { name: "Change Kitchen" })).toBeNull();
  });

  it("d17 can be undone as long as the server says, and no longer", async () => {
    const host = show("home");
    host.household.devices = [
      freshDisplay("d-7", "New", null),
      display("d-8", "Old", { undo_until_ms: null }),
    ];
    await fireEvent.focus(window);
    await screen.findByText("New", { selector: "bdi" });
    // The news of it has a button of its own, without the name.
    expect(screen.getAllByRole("button", { name: /^Undo the link \w/ })).toHaveLength(1);
    await press("Undo the link New");
    await screen.findByText("Done. New is no longer linked.");
    expect(wanted(host).at(-1)).toEqual({ command: "undo_link", takes: { deviceId: "d-7" } });
  });
});

describe("d17 news of a display that somebody else linked", () => {
  async function arrive(scene: SceneName = "home"): Promise<FakeHost> {
    const host = show(scene);
    await screen.findByText("The soup is in the fridge.", { selector: "p" });
    host.joins(freshDisplay("d-7", "Bedroom", null));
    await screen.findByText("Bedroom has joined");
    return host;
  }

  it("stands in a place that is read aloud, until somebody puts it away", async () => {
    await arrive();
    const news = screen.getByText("Bedroom has joined");
    expect(news.closest("[role=status]")).not.toBeNull();
    screen.getByText("A display, linked by Ben Okafor just now.");
    await press("Close");
    expect(screen.queryByText("Bedroom has joined")).toBeNull();
  });

  it("offers to undo it", async () => {
    const host = await arrive();
    await press("Undo the link");
    await waitFor(() => expect(screen.queryByText("Bedroom has joined")).toBeNull());
    expect(wanted(host).at(-1)).toEqual({ command: "undo_link", takes: { deviceId: "d-7" } });
    expect(host.household.devices.map(({ id }) => id)).not.toContain("d-7");
  });

  it("is not told to who linked it in this window", async () => {
    const host = await lookUp();
    await screen.findByLabelText(NUMBER);
    await answer();
    await waitFor(() => expect(heading()).toBe("Kitchen 2 is home"));
    const device = host.household.devices.at(-1);
    if (!device) throw new Error("no display was linked");
    host.tell({ kind: "display_joined", device });
    expect(screen.queryByText("Kitchen 2 has joined")).toBeNull();
  });

  it("waits for whose window was closed when it happened", async () => {
    const host = show("signed_out_back");
    host.household.devices = [freshDisplay("d-7", "Bedroom", null)];
    host.comeBack();
    host.finish();
    await screen.findByText("Bedroom has joined");
  });
});

describe("f6 news of a display whose sign-in was used in two places", () => {
  const GONE = "Hall was signed out";

  async function end(scene: SceneName = "home"): Promise<FakeHost> {
    const host = show(scene);
    await screen.findByText("The soup is in the fridge.", { selector: "p" });
    host.ends(display("d-2", "Hall"));
    return host;
  }

  it("stands in a place that is read aloud, until somebody puts it away for good", async () => {
    const host = await end();
    const news = await screen.findByText(GONE);
    expect(news.closest("[role=status]")?.textContent).toContain("used in a second place");
    expect(screen.queryByText("Hall", { selector: "bdi" })).toBeNull();
    await press("Close");
    expect(screen.queryByText(GONE)).toBeNull();
    host.tell({ kind: "changed", parts: ["devices"] });
    await waitFor(() => expect(host.calls.at(-1)?.command).toBe("list_devices"));
    expect(screen.queryByText(GONE)).toBeNull();
  });

  it("leads to where it is linked again, and is over then", async () => {
    const host = await end();
    host.challenge = challenge({ former: { id: "d-2", name: "Hall", room: null } });
    await screen.findByText(GONE);
    await press("Link it again");
    await type(CODE, "k7m3qx");
    await press("Go on");
    await screen.findByLabelText(NUMBER);
    await answer("47", "Hall");
    await waitFor(() => expect(screen.queryByText(GONE)).toBeNull());
  });

  it("waits for whose window was closed when it happened", async () => {
    const host = show("signed_out_back");
    host.household.ended = [{ id: "d-2", name: "Hall", room: null, ended_at_ms: Date.now() }];
    host.comeBack();
    host.finish();
    await screen.findByText(GONE);
  });

  it("is told to nobody who may not link displays", async () => {
    const host = await end("home_child");
    await waitFor(() => expect(host.calls.at(-1)?.command).not.toBe("load_family"));
    expect(screen.queryByText(GONE)).toBeNull();
  });
});

it("a note of somebody else appears by itself", async () => {
  const host = show("home");
  await screen.findByText("The soup is in the fridge.", { selector: "p" });
  host.household.notes = host.household.notes.map((note) => ({ ...note, text: "It is eaten." }));
  host.tell({ kind: "changed", parts: ["notes"] });
  await screen.findAllByText("It is eaten.", { selector: "p" });
  expect(host.calls.at(-1)?.command).toBe("list_notes");
});
