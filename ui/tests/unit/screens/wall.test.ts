import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { problem, scenes } from "../../../src/lib/host/scenes";
import { show, wanted, wishes } from "../show";

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const area = () => screen.getByLabelText<HTMLTextAreaElement>("A note for everybody");
const write = (value: string) => fireEvent.input(area(), { target: { value } });

describe("the notes on the wall", () => {
  it("are listed with who wrote them, and can be taken down by those who may", async () => {
    const host = show("home_child");
    await screen.findByText("Football is at six. Who drives?", { selector: "p" });
    const soup = screen.getByText("The soup is in the fridge.").closest("article");
    if (!soup) throw new Error("the note is not there");
    expect(within(soup).queryByRole("button")).toBeNull();
    await press(/Take down/);
    expect(wanted(host).at(-1)).toEqual({ command: "remove_note", takes: { id: "n-2" } });
    await waitFor(() =>
      expect(screen.queryByText("Football is at six. Who drives?", { selector: "p" })).toBeNull(),
    );
  });

  it("take a new one, and clear the field for the next", async () => {
    const host = show("home_new");
    await screen.findByText(/No notes yet/);
    await write("  Back at eight.\nLove, Ana ");
    await press("Put it on the wall");
    expect(wanted(host).at(-1)?.takes).toEqual({ request: { text: "Back at eight.\nLove, Ana" } });
    await screen.findByText(/Back at eight/, { selector: "p" });
    await waitFor(() => expect(area().value).toBe(""));
  });

  it("stand until somebody takes them down, unless somebody chose a day or a week", async () => {
    const host = show("home_new");
    await screen.findByText(/No notes yet/);
    const stands = () => screen.getByLabelText<HTMLSelectElement>("It stands");
    expect(stands().value).toBe("open");
    await fireEvent.change(stands(), { target: { value: "week" } });
    await write("On holiday");
    await press("Put it on the wall");
    expect(wanted(host).at(-1)?.takes).toEqual({ request: { text: "On holiday", hours: 168 } });
    await waitFor(() => expect(stands().value).toBe("open"));
  });

  it("want something to be written", async () => {
    const host = show("home");
    await write("   ");
    await press("Put it on the wall");
    screen.getByText("Write something first.");
    expect(document.activeElement).toBe(area());
    expect(wishes(host)).toEqual([]);
  });

  it("say late how many letters are left, and send none too many", async () => {
    const host = show("home");
    await write("x".repeat(239));
    expect(screen.queryByText(/letters? left/)).toBeNull();
    await write("x".repeat(279));
    screen.getByText("1 letter left");
    await write("👋".repeat(280));
    screen.getByText("0 letters left");
    await write("x".repeat(282));
    screen.getByText("2 letters too many");
    expect(area().getAttribute("aria-invalid")).toBe("true");
    await press("Put it on the wall");
    expect(wishes(host)).toEqual([]);
  });

  it("keep what was written when the server says no", async () => {
    const host = show("home");
    host.refuse("post_note", problem("input.invalid"));
    await write("Hello");
    await press("Put it on the wall");
    await screen.findByText(/too long or not what is needed/);
    expect(area().value).toBe("Hello");
  });
});

describe("home", () => {
  it("says how to get one where there is no display", async () => {
    show("home_new");
    await screen.findByText(/^No display yet/);
  });

  it("lists displays and when they were last heard of", async () => {
    show("home_long");
    await screen.findByText("Kitchen", { selector: "bdi" });
    screen.getByText("Connected now");
    screen.getByText(/^Last heard of: /);
    screen.getByText("Not heard of yet");
  });

  it("invites somebody who is alone to invite the others", async () => {
    show("home_new");
    await screen.findByText("It is quiet here");
    await press("Invite somebody");
    expect(screen.getByRole("heading", { level: 1 }).textContent.trim()).toBe("The Lindqvists");
  });

  it("shows nothing of a family where there is no family server", () => {
    const host = show("home_unserved");
    expect(screen.queryByText("On the wall")).toBeNull();
    expect(screen.queryByText("Displays")).toBeNull();
    expect(screen.queryByRole("button", { name: "Family" })).toBeNull();
    expect(host.calls.map(({ command }) => command)).not.toContain("load_family");
  });

  it("says that the family is not known yet", () => {
    show("home_unknown");
    screen.getByText(/has not heard from your family’s server yet/);
    expect(screen.queryByText("On the wall")).toBeNull();
  });

  it("says that the server cannot be asked, and asks again on request", async () => {
    const host = show("home");
    host.refuse("list_notes", problem("server.unreachable"));
    await screen.findByText("Your family’s server cannot be reached.");
    screen.getAllByText(/Not here yet/);
    await press("Try again");
    await screen.findByText("The soup is in the fridge.", { selector: "p" });
    await waitFor(() =>
      expect(screen.queryByText("Your family’s server cannot be reached.")).toBeNull(),
    );
  });

  it("says once what the session says as well", async () => {
    const host = show("home_offline");
    host.show({ stage: scenes.home().stage, problem: problem("server.unreachable") });
    host.refuse("load_family", problem("server.unreachable"));
    await screen.findAllByText(/Not here yet/);
    expect(screen.getAllByText("Your family’s server cannot be reached.")).toHaveLength(1);
  });

  it("keeps quiet about the server while being offline is said already", async () => {
    const host = show("home_offline");
    host.refuse("load_family", problem("server.unreachable"));
    await waitFor(() => expect(host.calls.map(({ command }) => command)).toContain("load_family"));
    await screen.findAllByText(/Not here yet/);
    expect(screen.queryByText("Your family’s server cannot be reached.")).toBeNull();
  });

  it("looks again when the window gets the focus", async () => {
    const host = show("home_new");
    await screen.findByText(/No notes yet/);
    host.household = { ...host.household, members: [] };
    const before = host.calls.length;
    await fireEvent.focus(window);
    await waitFor(() =>
      expect(host.calls.slice(before).map(({ command }) => command)).toContain("list_notes"),
    );
  });
});
