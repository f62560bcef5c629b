import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { problem, scenes } from "../../../src/lib/host/scenes";
import { bringPages } from "../../../src/screens/pages";
import { show, wanted, wishes } from "../show";

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const type = (label: string, value: string) =>
  fireEvent.input(screen.getByLabelText(label), { target: { value } });
const heading = () => screen.getByRole("heading", { level: 1 }).textContent;

afterEach(() => vi.unstubAllGlobals());

describe("first start", () => {
  const field = "Your family’s address";

  it("says what is missing, at its field, and sends nothing", async () => {
    const host = show("unconfigured");
    await press("Connect");
    screen.getByText("Please enter the address.");
    expect(document.activeElement).toBe(screen.getByLabelText(field));
    await type(field, "family");
    expect(screen.getByLabelText(field).getAttribute("aria-invalid")).toBe("true");
    screen.getByText(/This is not a complete address/);
    expect(wishes(host)).toEqual([]);
  });

  it("sends the address made whole, and nothing else, and moves on", async () => {
    const host = show("unconfigured");
    await type(field, " luminous.example.com ");
    await press("Connect");
    expect(host.calls.at(-1)?.takes).toEqual({
      request: { address: "https://luminous.example.com/" },
    });
    await waitFor(() => expect(heading()).toBe("Welcome to Luminous"));
  });

  it("understands the link of an invitation, and has its code at hand later", async () => {
    const host = show("unconfigured");
    host.family = { kind: "outside" };
    await type(field, "https://luminous.example.com/join#k7m3qxw92h");
    await press("Connect");
    expect(host.calls.at(-1)?.takes).toEqual({
      request: { address: "https://luminous.example.com/" },
    });
    await waitFor(() => expect(heading()).toBe("Welcome to Luminous"));
    host.finish();
    await waitFor(() => expect(heading()).toBe("Your invitation"));
    expect(screen.getByLabelText<HTMLInputElement>("Code").value).toBe("K7M3Q XW92H");
  });

  it("shows the address that did not do, and says why, to be tried again or mended", async () => {
    const host = show("unconfigured_problem");
    screen.getByText("Your family’s server cannot be reached.");
    screen.getByText(/^Luminous knows this address/);
    await press("Connect");
    expect(host.calls.at(-1)?.takes).toEqual({
      request: { address: "https://luminous.example.com/" },
    });
  });

  it("waits for a family server that does not answer yet, and says so", async () => {
    const host = show("starting_unreachable");
    expect(heading()).toBe("Your family’s server does not answer yet");
    screen.getByText("Your family’s server cannot be reached.");
    screen.getByText(/^Luminous keeps asking by itself/);
    host.show({ ...scenes.signed_out_never() });
    await waitFor(() => expect(heading()).toBe("Welcome to Luminous"));
  });

  it.each([
    ["server.not_luminous", /no family at home at this address/],
    ["server.unreachable", /server cannot be reached/],
    ["discovery.failed", /no sign-in service that Luminous can trust/],
  ] as const)("keeps what was typed and says why on %s", async (code, words) => {
    const host = show("unconfigured");
    host.refuse("connect", problem(code));
    await type(field, "https://luminous.example.com");
    await press("Connect");
    await screen.findByText(words);
    expect(screen.getByLabelText<HTMLInputElement>(field).value).toBe(
      "https://luminous.example.com",
    );
  });
});

describe("signed out", () => {
  it.each([
    ["signed_out_never", "Welcome to Luminous", /this computer remembers you/],
    ["signed_out_back", "Welcome back", /You are signed out on this computer/],
    ["signed_out_ended", "Please sign in again", /has come to its end/],
    ["signed_out_lost", "Please sign in again", /keyring no longer has your sign-in/],
    ["signed_out_corrupt", "Please sign in again", /put it aside/],
  ] as const)("in %s says why", (scene, title, text) => {
    show(scene);
    expect(heading()).toBe(title);
    screen.getByText(text);
  });

  it("offers one way on, through the browser", async () => {
    const host = show("signed_out_never");
    expect(screen.queryByText("Use another account")).toBeNull();
    await press("Continue in your browser");
    expect(wanted(host).at(-1)).toEqual({
      command: "begin_sign_in",
      takes: { intent: "sign_in", hint: null },
    });
    await waitFor(() => expect(heading()).toBe("Your browser is open"));
  });

  it("knows who was here, and lets somebody else in", async () => {
    const host = show("signed_out_back");
    screen.getByText("Ana Lindqvist");
    await press("Use another account");
    expect(host.calls.at(-1)?.takes).toEqual({ intent: "switch_account", hint: null });
  });

  it("has a short way to each provider behind it, by its domain hint", async () => {
    const host = show("signed_out_never");
    screen.getByRole("list", { name: "Or go straight to" });
    await press("Continue with Google");
    expect(host.calls.at(-1)?.takes).toEqual({ intent: "sign_in", hint: "google.com" });
    await waitFor(() => expect(heading()).toBe("Your browser is open"));
  });

  it("helps who forgot the password, through the browser", async () => {
    const host = show("signed_out_never");
    await press("Forgot your password?");
    expect(host.calls.at(-1)?.takes).toEqual({ intent: "reset_password", hint: null });
    await waitFor(() => expect(heading()).toBe("Choose a new password"));
  });

  it("offers neither where the provider has neither", () => {
    show("signed_out_plain");
    expect(screen.queryByText(/Continue with/)).toBeNull();
    expect(screen.queryByText(/Forgot/)).toBeNull();
  });

  it("leads to another family server, after a question", async () => {
    const host = show("signed_out_plain");
    await waitFor(() => screen.getByRole("button", { name: "Another family server" }));
    await press("Another family server");
    expect(wishes(host)).toEqual([]);
    await press("Enter another address");
    expect(wishes(host)).toEqual(["disconnect"]);
    await waitFor(() => expect(heading()).toBe("Connect to your family"));
    expect(screen.getByLabelText<HTMLInputElement>("Your family’s address").value).toBe("");
  });

  it("keeps to the family server that the configuration names", async () => {
    // The button is one of the pages: once they are here, it would be in the first frame.
    await bringPages();
    show("signed_out_never");
    expect(screen.queryByText("Another family server")).toBeNull();
  });

  it("says what it waits for while the provider is asked, and can be cancelled", async () => {
    const host = show("signed_out_never");
    host.hold("begin_sign_in");
    await press("Continue in your browser");
    screen.getByText("Getting in touch with login.luminous.example…");
    await press("Cancel");
    expect(wishes(host)).toEqual(["begin_sign_in", "cancel_sign_in"]);
  });

  it("says that the keyring cannot keep the sign-in before anybody signs in", async () => {
    const host = show("signed_out_no_keyring");
    screen.getByText(/no keyring at work/);
    screen.getByText(/Nothing in the keyring is deleted/);
    await press("Go on without saving");
    await waitFor(() => expect(screen.queryByText(/no keyring at work/)).toBeNull());
    expect(wishes(host)).toEqual(["use_memory_only"]);
  });
});

describe("waiting for the browser", () => {
  it.each([
    ["waiting", "Your browser is open", /Sign in there/],
    ["waiting_reset", "Choose a new password", /then sign in there with the new one/],
    ["waiting_edit", "Edit your profile", /You stay signed in here/],
    ["waiting_step_up", "Confirm that it’s you", /Your change waits for it/],
  ] as const)("in %s says what for", (scene, title, text) => {
    show(scene);
    expect(heading()).toBe(title);
    screen.getByText(text);
  });

  it("offers to open it again and to cancel", async () => {
    const host = show("waiting");
    await press("Open again");
    await press("Cancel");
    expect(wishes(host)).toEqual(["open_browser_again", "cancel_sign_in"]);
    await waitFor(() => expect(heading()).toBe("Welcome to Luminous"));
  });

  it("counts down in words, as time passes", async () => {
    vi.useFakeTimers();
    try {
      show("waiting");
      const minutes = () => /(\d+ more minutes?|less than a minute|time is up)/;
      expect(minutes().exec(document.body.textContent)?.[1]).toBe("9 more minutes");
      await vi.advanceTimersByTimeAsync(8 * 60_000);
      expect(minutes().exec(document.body.textContent)?.[1]).toBe("1 more minute");
      await vi.advanceTimersByTimeAsync(60_000);
      expect(minutes().exec(document.body.textContent)?.[1]).toBe("less than a minute");
      await vi.advanceTimersByTimeAsync(60_000);
      expect(minutes().exec(document.body.textContent)?.[1]).toBe("time is up");
    } finally {
      vi.useRealTimers();
    }
  });

  it("copies the link and says so", async () => {
    vi.stubGlobal("ClipboardItem", Object);
    vi.stubGlobal("navigator", { clipboard: { write: () => Promise.resolve() }, languages: [] });
    show("waiting");
    await press("Copy link");
    await screen.findByRole("button", { name: "Link copied" });
    expect(screen.queryByLabelText("Link for your browser")).toBeNull();
  });

  it("shows the link to be copied by hand when the clipboard refuses", async () => {
    vi.stubGlobal("navigator", { languages: [] });
    show("waiting");
    await press("Copy link");
    const field = await screen.findByLabelText<HTMLTextAreaElement>("Link for your browser");
    expect(field.value).toMatch(/^https:\/\/login\.luminous\.example\//);
    screen.getByText(/Copying did not work by itself/);
  });

  it("shows the link at once when the browser did not open, and says it only once", async () => {
    show("waiting_failed");
    expect(heading()).toBe("Your browser did not open");
    await screen.findByLabelText("Link for your browser");
    expect(screen.queryByText("Luminous could not open your browser.")).toBeNull();
  });

  it("says when there is no link to show", async () => {
    const host = show("waiting");
    host.refuse("sign_in_link", problem("redirect.no_pending"));
    vi.stubGlobal("navigator", { languages: [] });
    await press("Copy link");
    await screen.findByText(/Luminous was not waiting for/);
  });
});

describe("finishing", () => {
  it("says who is asked, and offers a way out", async () => {
    const host = show("finishing");
    screen.getByText("login.luminous.example is confirming that it is you.");
    await press("Cancel");
    expect(wishes(host)).toEqual(["cancel_sign_in"]);
  });
});

describe("a keyring that will not say", () => {
  it.each([
    ["storage_locked", /keyring is locked/, /Unlock it/],
    ["storage_unavailable", /no keyring at work/, /Install or start one/],
    ["storage_timeout", /does not answer/, /restart the computer/],
    ["storage_waiting", /is asking you something/, /Look for its window/],
  ] as const)(
    "in %s says what happened, what to do, and that nothing is deleted",
    (scene, what, todo) => {
      show(scene);
      screen.getByText(what);
      screen.getByText(todo);
      screen.getByText(/nothing is deleted/);
    },
  );

  it("can be asked again", async () => {
    const host = show("storage_locked");
    const release = host.hold("retry_storage");
    await press("Try again");
    screen.getByRole("button", { name: "Asking the keyring…" });
    release();
    await waitFor(() => expect(heading()).toBe("Hello, Ana Lindqvist"));
  });

  it("is left aside only when the person says so", async () => {
    const host = show("storage_locked");
    await press("Go on without saving");
    expect(wishes(host)).toEqual(["use_memory_only"]);
    await waitFor(() => expect(heading()).toBe("Welcome to Luminous"));
  });

  it("stays on the screen when it is still locked", async () => {
    const host = show("storage_locked");
    host.refuse("retry_storage", problem("store.timeout"));
    await press("Try again");
    await screen.findByText(/does not answer/);
    expect(heading()).toBe("Your sign-in is out of reach");
  });
});

describe("the start", () => {
  it("says that it is reading, and why it cannot follow the session", () => {
    show({ ...scenes.starting(), problem: problem("internal") });
    screen.getByText("Something went wrong inside Luminous.");
  });
});
