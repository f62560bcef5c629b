import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it, vi } from "vitest";

import { problem, scenes } from "../../../src/lib/host/scenes";
import { ENGLISH, show, wanted, wishes, withAccount } from "../show";

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const heading = () => screen.getByRole("heading", { level: 1 }).textContent;

describe("home", () => {
  it("says who is signed in, in which family and with which role", () => {
    show("home");
    screen.getByText("ana@lindqvist.example");
    screen.getByText("The Lindqvists");
    screen.getByText("Owner");
    screen.getByText("Connected");
    screen.getByText("Demo");
  });

  it("welcomes quietly after the redirect, until one looks elsewhere", async () => {
    const host = show("waiting");
    host.comeBack();
    host.finish();
    await waitFor(() => expect(heading()).toBe("Welcome, Ana Lindqvist"));
    screen.getByText(/You can close the browser tab/);
    await press("Account");
    await press("Home");
    expect(heading()).toBe("Hello, Ana Lindqvist");
  });

  it("says since when it is offline, and that nobody is signed out for it", () => {
    show("home_offline");
    screen.getByText(/^Offline, as of .*\d:\d\d/);
    screen.getByText(/You stay signed in/);
  });

  it("says it is offline when nothing was reached since the start", () => {
    const home = scenes.home_offline();
    if (home.stage.kind !== "signed_in") throw new Error("not home");
    show({ ...home, stage: { ...home.stage, connection: { kind: "offline", since_ms: null } } });
    screen.getByText("Offline");
  });

  it("shows a problem that can be put away", async () => {
    show("home_offline");
    screen.getByText("The sign-in service is busy or out of order.");
    await press("Close");
    expect(screen.queryByText("The sign-in service is busy or out of order.")).toBeNull();
  });

  it("says that the sign-in was not saved and offers to try again", async () => {
    const host = show("home_unsaved");
    screen.getByText(/could not be saved/);
    await press("Try again");
    expect(wishes(host)).toEqual(["retry_storage"]);
    await waitFor(() => expect(screen.queryByText(/could not be saved/)).toBeNull());
  });

  it("takes people without a name or an e-mail", () => {
    show(withAccount({ name: "", email: null }));
    expect(heading()).toBe("Hello");
    screen.getByText("No name given");
  });

  it("calls people without a name by their e-mail, once", () => {
    show(withAccount({ name: "" }));
    expect(screen.getAllByText("ana@lindqvist.example")).toHaveLength(1);
  });
});

describe("a problem", () => {
  it("copies its details", async () => {
    const writeText = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText }, languages: [] });
    show("home_offline");
    await press("Copy details");
    await screen.findByRole("button", { name: "Details copied" });
    expect(writeText.mock.calls[0]?.[0]).toMatch(/^Code: provider\.busy\nReason: AADB2C90080\n/);
    vi.unstubAllGlobals();
  });

  it("is not called copied because the one before it was", async () => {
    vi.stubGlobal("navigator", {
      clipboard: { writeText: () => Promise.resolve() },
      languages: [],
    });
    const host = show("home_offline");
    await press("Copy details");
    await screen.findByRole("button", { name: "Details copied" });
    host.show({ problem: problem("net.captive") });
    await screen.findByText(/answers in place of the sign-in service/);
    screen.getByRole("button", { name: "Copy details" });
    vi.unstubAllGlobals();
  });

  it("shows its details to be copied by hand when the clipboard refuses", async () => {
    vi.stubGlobal("navigator", { languages: [] });
    show("home_offline");
    await press("Copy details");
    const field = await screen.findByLabelText<HTMLTextAreaElement>(/Details for whoever/);
    expect(field.value).toContain("b5c6e7f8-0a1b-4c2d-9e3f-405162738495");
    vi.unstubAllGlobals();
  });
});

describe("account", () => {
  it("says how and where somebody signed in", async () => {
    show("home");
    await press("Account");
    screen.getByText("E-mail and password");
    screen.getByText("login.luminous.example");
  });

  it("calls providers what people call them", async () => {
    show("home_offline");
    await press("Account");
    screen.getByText("Google");
    expect(screen.queryByText("Demo")).toBeNull();
  });

  it.each([
    ["Edit profile", "edit_profile", "Edit your profile"],
    ["Change password", "reset_password", "Choose a new password"],
  ])("%s goes through the browser", async (button, intent, title) => {
    const host = show("home");
    await press("Account");
    await press(button);
    expect(wanted(host).at(-1)?.takes).toEqual({ intent, hint: null });
    await waitFor(() => expect(heading()).toBe(title));
  });

  it("offers neither where the provider has neither, nor what needs a family server", async () => {
    show("home_unserved");
    await press("Account");
    for (const name of [/Edit profile/, /Change password/, /Export/, /Sign out everywhere/]) {
      expect(screen.queryByRole("button", { name })).toBeNull();
    }
  });

  it("says where the file with one's data is", async () => {
    const host = show("home");
    await press("Account");
    await press("Export my data");
    await screen.findByText("/home/ana/Downloads/luminous-ana-2026-11-03.json");
    expect(wishes(host)).toEqual(["export_my_data"]);
  });

  it("says why there is no file", async () => {
    const host = show("home");
    host.refuse("export_my_data", problem("server.unreachable"));
    await press("Account");
    await press("Export my data");
    await screen.findByText("Your family’s server cannot be reached.");
  });

  it("asks before it signs out everywhere, and says what that means", async () => {
    const host = show("home");
    await press("Account");
    await press("Sign out everywhere");
    screen.getByText(/Every computer, phone and browser/);
    expect(wishes(host)).toEqual([]);
    const buttons = screen.getAllByRole("button", { name: "Sign out everywhere" });
    await fireEvent.click(buttons[buttons.length - 1] as HTMLElement);
    expect(wishes(host)).toEqual(["sign_out_everywhere"]);
    await waitFor(() => expect(heading()).toBe("See you soon"));
  });

  it.each([
    ["home", "Saved in this computer’s keyring"],
    ["home_memory", "Not saved, as you chose"],
    ["home_unsaved", "Not saved"],
    ["home_unserved", "Saved in this computer’s keyring"],
  ] as const)("in %s says where the sign-in is kept", async (scene, words) => {
    show(scene);
    await press("Account");
    screen.getByText(words);
  });

  it("signs out here at once", async () => {
    const host = show("home");
    await press("Account");
    await press("Sign out here");
    expect(wanted(host).at(-1)?.takes).toEqual({ scope: "here" });
    await waitFor(() => expect(heading()).toBe("See you soon"));
  });

  it("asks before it signs out in the browser too, and says what will happen", async () => {
    const host = show("home");
    await press("Account");
    await press("Sign out here and in the browser");
    screen.getByText(/your browser opens to sign you out at login\.luminous\.example as well/);
    await press("Stay signed in");
    expect(wishes(host)).toEqual([]);
    await press("Sign out here and in the browser");
    await press("Sign out");
    expect(wanted(host).at(-1)?.takes).toEqual({ scope: "and_provider" });
  });

  it("says why signing out did not work", async () => {
    const host = show("home");
    host.refuse("sign_out", problem("store.locked"));
    await press("Account");
    await press("Sign out here");
    await screen.findByText("This computer’s keyring is locked.");
  });

  it("lets somebody else sign in", async () => {
    const host = show("home");
    await press("Account");
    await press("Use another account");
    expect(wanted(host).at(-1)?.takes).toEqual({ intent: "switch_account", hint: null });
  });
});

describe("settings", () => {
  it("change the language at once and keep it", async () => {
    const host = show("home");
    await press("Settings");
    await fireEvent.click(screen.getByLabelText("Deutsch"));
    expect(heading()).toBe("Einstellungen");
    expect(document.documentElement.lang).toBe("de");
    expect(host.settings).toEqual({ language: "de", theme: "system" });
  });

  it("change light and dark at once and keep it", async () => {
    const host = show("home");
    await press("Settings");
    await fireEvent.click(screen.getByLabelText("Dark"));
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(host.settings.theme).toBe("dark");
  });

  it("go back and say why when they cannot be kept", async () => {
    const host = show("home", ENGLISH);
    host.refuse("save_settings", problem("internal"));
    await press("Settings");
    await fireEvent.click(screen.getByLabelText("Español"));
    await screen.findByText("Something went wrong inside Luminous.");
    expect(heading()).toBe("Settings");
  });

  it("are open to people who are not signed in, and lead back", async () => {
    show("signed_out_never");
    await press("Settings");
    screen.getByText("0.0.0-test");
    screen.getByText(/This is a demonstration/);
    await press("Back");
    expect(heading()).toBe("Welcome to Luminous");
  });

  it("give way when the redirect comes back", async () => {
    const host = show("waiting");
    await press("Settings");
    host.comeBack();
    await waitFor(() => expect(heading()).toBe("Almost there"));
  });
});
