import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { memberAs } from "../../../src/lib/host/household";
import { problem } from "../../../src/lib/host/scenes";
import { show, wanted, wishes } from "../show";

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const type = (label: string, value: string) =>
  fireEvent.input(screen.getByLabelText(label), { target: { value } });
const heading = () => screen.getByRole("heading", { level: 1 }).textContent.trim();
const field = (label: string) => screen.getByLabelText<HTMLInputElement>(label);

describe("a member whose place is paused", () => {
  it("is told so calmly, and is asked neither to begin nor to join a family", async () => {
    const host = show("paused");
    await waitFor(() => expect(heading()).toBe("Paused for now"));
    screen.getByText(/^An adult has paused your place in The Lindqvists/);
    expect(screen.queryByText("I have an invitation")).toBeNull();
    await press("Account");
    expect(screen.queryByRole("button", { name: "Family" })).toBeNull();
    await press("Home");
    await press("Sign out here");
    expect(wanted(host).at(-1)).toEqual({ command: "sign_out", takes: { scope: "here" } });
  });

  it("is at home again as soon as somebody lets them back in", async () => {
    const host = show("paused");
    await waitFor(() => expect(heading()).toBe("Paused for now"));
    const looks = () => host.calls.filter(({ command }) => command === "load_family").length;
    await waitFor(() => expect(looks()).toBe(1));
    await press("Look again");
    expect(looks()).toBe(2);
    host.place(memberAs("teen"));
    await waitFor(() => expect(heading()).toBe("Hello, Ana Lindqvist"));
  });

  it("may leave the family, after a question", async () => {
    const host = show("paused");
    await waitFor(() => expect(heading()).toBe("Paused for now"));
    await press("Leave the family");
    expect(wishes(host)).toEqual([]);
    await press("Leave");
    expect(wishes(host)).toEqual(["leave_family"]);
    await waitFor(() => expect(heading()).toBe("Welcome, Ana Lindqvist"));
  });
});

describe("somebody without a family", () => {
  it("is offered two ways, and their account", async () => {
    show("onboarding");
    expect(heading()).toBe("Welcome, Ana Lindqvist");
    screen.getByRole("button", { name: /I have an invitation/ });
    screen.getByRole("button", { name: /Start a family/ });
    expect(screen.queryByText("On the wall")).toBeNull();
    await press("Account");
    expect(heading()).toBe("Account");
    expect(screen.queryByRole("button", { name: "Family" })).toBeNull();
  });

  it("starts a family with a name, and is at home in it", async () => {
    const host = show("onboarding");
    await press(/Start a family/);
    await press("Start the family");
    screen.getByText("Please enter a name.");
    expect(document.activeElement).toBe(field("The family’s name"));
    await type("The family’s name", "  The Okafors ");
    await press("Start the family");
    expect(wanted(host).at(-1)).toEqual({
      command: "create_family",
      takes: { request: { name: "The Okafors" } },
    });
    await waitFor(() => expect(heading()).toBe("Hello, Ana Lindqvist"));
    screen.getByText("The Okafors");
    await screen.findByText("It is quiet here");
  });

  it("keeps the name that was typed when the server says no", async () => {
    const host = show("onboarding");
    host.refuse("create_family", problem("server.busy"));
    await press(/Start a family/);
    await type("The family’s name", "The Okafors");
    await press("Start the family");
    await screen.findByText("Your family’s server is busy or out of order.");
    expect(field("The family’s name").value).toBe("The Okafors");
    await press("Back");
    expect(heading()).toBe("Welcome, Ana Lindqvist");
  });
});

describe("a member whose place is paused", () => {
  it("is told so calmly, and is asked neither to begin nor to join a family", async () => {
    const host = show("paused");
    await waitFor(() => expect(heading()).toBe("Paused for now"));
    screen.getByText(/^An adult has paused your place in The Lindqvists/);
    expect(screen.queryByText("I have an invitation")).toBeNull();
    await press("Account");
    expect(screen.queryByRole("button", { name: "Family" })).toBeNull();
    await press("Home");
    await press("Sign out here");
    expect(wanted(host).at(-1)).toEqual({ command: "sign_out", takes: { scope: "here" } });
  });

  it("is at home again as soon as somebody lets them back in", async () => {
    const host = show("paused");
    await waitFor(() => expect(heading()).toBe("Paused for now"));
    const looks = () => host.calls.filter(({ command }) => command === "load_family").length;
    await waitFor(() => expect(looks()).toBe(1));
    await press("Look again");
    expect(looks()).toBe(2);
    host.place(memberAs("teen"));
    await waitFor(() => expect(heading()).toBe("Hello, Ana Lindqvist"));
  });

  it("may leave the family, after a question", async () => {
    const host = show("paused");
    await waitFor(() => expect(heading()).toBe("Paused for now"));
    await press("Leave the family");
    expect(wishes(host)).toEqual([]);
    await press("Leave");
    expect(wishes(host)).toEqual(["leave_family"]);
    await waitFor(() => expect(heading()).toBe("Welcome, Ana Lindqvist"));
  });
});

describe("joining a family", () => {
  async function enter(code: string) {
    const host = show("onboarding");
    await press(/I have an invitation/);
    await type("Code", code);
    return host;
  }

  it.each(["k7m3qxw92h", "K7M3Q-XW92H", "https://family.example/join#K7M3QXW92H"])(
    "d20 groups %s while it is typed or pasted",
    async (typed) => {
      await enter(typed);
      expect(field("Code").value).toBe("K7M3Q XW92H");
    },
  );

  it("leaves the cursor where it was when something is put right in the middle", async () => {
    await enter("K7M3Q XW92H");
    const code = field("Code");
    code.value = "K7aM3Q XW92H";
    code.setSelectionRange(3, 3);
    await fireEvent.input(code);
    expect(code.value).toBe("K7AM3 QXW92H");
    expect(code.selectionStart).toBe(3);
  });

  it("sends nothing that cannot be a code", async () => {
    const host = await enter("K7M3Q");
    await press("Look at it");
    screen.getByText("A code has ten letters and digits, and never a U.");
    await type("Code", "");
    screen.getByText("Please enter the code.");
    expect(wishes(host)).toEqual([]);
  });

  it("shows which family, who invites and which role, and then asks", async () => {
    const host = await enter("k7m3qxw92h");
    await press("Look at it");
    await waitFor(() => expect(heading()).toBe("Is this your family?"));
    expect(document.activeElement?.textContent).toBe("Is this your family?");
    screen.getByText("The Lindqvists");
    screen.getByText("Ben Okafor invites you. Your role: Adult.");
    expect(wishes(host)).toEqual(["preview_invite"]);
    await press("Join");
    expect(wanted(host).at(-1)).toEqual({
      command: "accept_invite",
      takes: { request: { code: "K7M3Q XW92H" } },
    });
    await waitFor(() => expect(heading()).toBe("Hello, Ana Lindqvist"));
    screen.getByText("Adult");
  });

  it("takes another code when this was the wrong family", async () => {
    await enter("k7m3qxw92h");
    await press("Look at it");
    await screen.findByText("The Lindqvists");
    await press("Another code");
    expect(field("Code").value).toBe("");
    await waitFor(() => expect(document.activeElement).toBe(field("Code")));
  });

  it.each([
    ["invite.invalid", /No invitation has this code/],
    ["invite.rate_limited", /too many wrong codes/],
    ["invite.code_format", /cannot be the code/],
  ] as const)("says why on %s and keeps what was typed", async (code, words) => {
    const host = await enter("k7m3qxw92h");
    host.refuse("preview_invite", problem(code));
    await press("Look at it");
    await screen.findByText(words);
    expect(field("Code").value).toBe("K7M3Q XW92H");
  });
});
