import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { FakeHost } from "../../../src/lib/host/fake";
import { problem, type SceneName } from "../../../src/lib/host/scenes";
import { show, wanted, wishes } from "../show";

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const press = (name: string | RegExp) => fireEvent.click(button(name));
const type = (label: string, value: string) =>
  fireEvent.input(screen.getByLabelText(label), { target: { value } });
const heading = () => screen.getByRole("heading", { level: 1 }).textContent.trim();

afterEach(() => vi.unstubAllGlobals());

async function openFamily(scene: SceneName = "home"): Promise<FakeHost> {
  const host = show(scene);
  await press("Family");
  await named("Mia");
  return host;
}

/** Somebody in the list of members. */
function named(name: string) {
  return screen.findByText(name, { selector: "bdi" });
}

/** The dialog that is open. */
function dialog() {
  const open = document.querySelector<HTMLElement>("dialog[open]");
  if (!open) throw new Error("no dialog is open");
  return within(open);
}

describe("the family's page", () => {
  it("says who belongs to it, with which role and state", async () => {
    await openFamily();
    expect(heading()).toBe("The Lindqvists");
    await named("Ben Okafor");
    screen.getByText("You");
    screen.getByText("Paused");
    screen.getByText("Without a sign-in of their own");
  });

  it("offers a child nothing but to leave", async () => {
    await openFamily("home_child");
    const main = within(screen.getByRole("main"));
    expect(main.getAllByRole("button").map((one) => one.textContent.trim())).toEqual([
      "Leave the family",
    ]);
    expect(screen.queryByText("Invitations")).toBeNull();
  });

  it("is not there outside a family, also for somebody who was on it", async () => {
    const host = await openFamily();
    host.place({ kind: "outside" });
    await waitFor(() => expect(heading()).toBe("Welcome, Ana Lindqvist"));
  });
});

describe("a member", () => {
  it("gets another role after a question that says what it means", async () => {
    const host = await openFamily();
    await press("Change Ben Okafor");
    await fireEvent.click(screen.getByLabelText(/^Admin/));
    await press("Change the role");
    dialog().getByText(/Ben Okafor gets this role at once: Admin\. Invites people/);
    expect(wishes(host)).toEqual([]);
    await fireEvent.click(dialog().getByRole("button", { name: "Change the role" }));
    expect(wanted(host).at(-1)?.takes).toEqual({ id: "m-ben", request: { role: "admin" } });
    const done = await screen.findByText("Done. Ben Okafor’s role is now: Admin.");
    await waitFor(() => expect(document.activeElement).toBe(done));
  });

  it("is not what somebody is fetched back to who went on to something else meanwhile", async () => {
    const host = await openFamily();
    const release = host.hold("change_member");
    await press("Change Ben Okafor");
    await press("Pause");
    await fireEvent.click(dialog().getByRole("button", { name: "Pause" }));
    await press("Change Noa Lindqvist-Okafor");
    const busyWith = button("Invite somebody");
    busyWith.focus();
    release();
    await screen.findByText("Done. Ben Okafor is paused.");
    await new Promise((resolve) => setTimeout(resolve));
    expect(document.activeElement).toBe(busyWith);
    // Nor is what they opened closed for it.
    screen.getByRole("button", { name: "Close Noa Lindqvist-Okafor" });
  });

  it("harms nobody who left the page before the answer came", async () => {
    const failures: unknown[] = [];
    const note = (event: unknown) => failures.push(event);
    process.on("unhandledRejection", note);
    const host = await openFamily();
    const release = host.hold("add_child");
    await press("Add a child");
    await type("The child’s name", "Liv");
    await press("Add");
    await press("Home");
    release();
    await waitFor(() => expect(host.household.members.map(({ name }) => name)).toContain("Liv"));
    await new Promise((resolve) => setTimeout(resolve, 0));
    process.off("unhandledRejection", note);
    expect(failures).toEqual([]);
  });

  it("is paused after a question, and let back in without one", async () => {
    const host = await openFamily();
    await press("Change Ben Okafor");
    await press("Pause");
    dialog().getByText(/cannot use Luminous from now on/);
    await fireEvent.click(dialog().getByRole("button", { name: "Pause" }));
    await screen.findByText("Done. Ben Okafor is paused.");
    expect(wanted(host).at(-1)?.takes).toEqual({
      id: "m-ben",
      request: { state: "deactivated" },
    });
    await press("Change Eva Lindqvist");
    await press("Let back in");
    await screen.findByText("Done. Eva Lindqvist can use Luminous again.");
    expect(wanted(host).at(-1)?.takes).toEqual({ id: "m-eva", request: { state: "active" } });
  });

  it("is removed after a question that can be answered with no", async () => {
    const host = await openFamily();
    await press("Change Ben Okafor");
    await press("Remove from the family");
    await fireEvent.click(dialog().getByRole("button", { name: "Cancel" }));
    expect(wishes(host)).toEqual([]);
    await press("Remove from the family");
    await fireEvent.click(dialog().getByRole("button", { name: "Remove" }));
    await screen.findByText("Done. Ben Okafor is no longer in the family.");
    expect(wanted(host).at(-1)?.takes).toEqual({ id: "m-ben", child: false });
    expect(screen.queryByText("ben@okafor.example")).toBeNull();
  });

  it("says why it could not be changed, where that was asked for", async () => {
    const host = await openFamily();
    host.refuse("change_member", problem("family.last_owner"));
    await press("Change Ben Okafor");
    await press("Pause");
    await fireEvent.click(dialog().getByRole("button", { name: "Pause" }));
    await screen.findByText(/You are the last owner/);
    button("Close Ben Okafor");
  });
});

describe("a child without an account", () => {
  it("is added by its name", async () => {
    const host = await openFamily();
    await press("Add a child");
    await waitFor(() =>
      expect(document.activeElement).toBe(screen.getByLabelText("The child’s name")),
    );
    await press("Add");
    screen.getByText("Please enter a name.");
    await type("The child’s name", " Liv ");
    await press("Add");
    await screen.findByText("Done. Liv belongs to the family.");
    expect(wanted(host).at(-1)?.takes).toEqual({ request: { name: "Liv" } });
    await named("Liv");
  });

  it("is renamed and removed by those who look after it", async () => {
    const host = await openFamily("home_checking");
    await press("Change Mia");
    await type("The child’s name", "Mia Sofia");
    await press("Save");
    await screen.findByText("Done. The name is now Mia Sofia.");
    expect(wanted(host).at(-1)?.takes).toEqual({ id: "m-mia", name: "Mia Sofia" });
    await press("Change Mia Sofia");
    await press("Remove from the family");
    await fireEvent.click(dialog().getByRole("button", { name: "Remove" }));
    await screen.findByText("Done. Mia Sofia is no longer in the family.");
    expect(wanted(host).at(-1)?.takes).toEqual({ id: "m-mia", child: true });
  });
});

describe("an invitation", () => {
  it("is made with a role and a lifetime, and shows its code and link once", async () => {
    const writeText = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText }, languages: [] });
    const host = await openFamily();
    await press("Invite somebody");
    await fireEvent.click(screen.getByLabelText(/^Caregiver/));
    await fireEvent.click(screen.getByLabelText("7 days"));
    await press("Make the invitation");
    await screen.findByText("K7M3Q XW92H");
    expect(wanted(host).at(-1)?.takes).toEqual({ request: { role: "caregiver", hours: 168 } });
    await press("Copy code");
    await press("Copy link");
    await screen.findByRole("button", { name: "Link copied" });
    expect(writeText.mock.calls).toEqual([
      ["K7M3Q XW92H"],
      ["https://family.example/join#K7M3QXW92H"],
    ]);
    await press("Done");
    expect(screen.queryByText("K7M3Q XW92H")).toBeNull();
  });

  it("is withdrawn, and its code disappears with it", async () => {
    const host = await openFamily();
    await press("Invite somebody");
    await press("Make the invitation");
    await screen.findByText("K7M3Q XW92H");
    await fireEvent.click(screen.getAllByRole("button", { name: "Withdraw" })[0] as HTMLElement);
    await screen.findByText("Done. That invitation no longer works.");
    expect(screen.queryByText("K7M3Q XW92H")).toBeNull();
    expect(host.household.invites.map(({ id }) => id)).toEqual(["i-1"]);
  });

  it("that could not be made keeps what was chosen", async () => {
    const host = await openFamily();
    host.refuse("create_invite", problem("server.unreachable"));
    await press("Invite somebody");
    await fireEvent.click(screen.getByLabelText(/^Teen/));
    await press("Make the invitation");
    await screen.findByText("Your family’s server cannot be reached.");
    expect(screen.getByLabelText<HTMLInputElement>(/^Teen/).checked).toBe(true);
  });
});

describe("the family itself", () => {
  it("is renamed", async () => {
    const host = await openFamily();
    await press("Rename");
    expect(screen.getByLabelText<HTMLInputElement>("The family’s name").value).toBe(
      "The Lindqvists",
    );
    await type("The family’s name", "The Okafors");
    await press("Save");
    await waitFor(() => expect(heading()).toBe("The Okafors"));
    await screen.findByText("Done. The family is now called The Okafors.");
    expect(wishes(host)).toEqual(["rename_family"]);
  });

  it("is left after a question, and the last owner is told why not", async () => {
    const host = await openFamily();
    host.refuse("leave_family", problem("family.last_owner"));
    await press("Leave the family");
    await fireEvent.click(dialog().getByRole("button", { name: "Leave" }));
    await screen.findByText(/You are the last owner/);
    await press("Leave the family");
    await fireEvent.click(dialog().getByRole("button", { name: "Leave" }));
    await waitFor(() => expect(heading()).toBe("Welcome, Ana Lindqvist"));
  });

  it("is deleted only by who types its name", async () => {
    const host = await openFamily();
    await press("Delete the family");
    screen.getByText(/Nobody can bring it back/);
    await type("The family’s name, once more", "the lindqvists");
    await press("Delete for good");
    screen.getByText("That is not it. Type: The Lindqvists");
    expect(wishes(host)).toEqual([]);
    await type("The family’s name, once more", "The Lindqvists ");
    await press("Delete for good");
    expect(wanted(host).at(-1)?.takes).toEqual({ request: { name: "The Lindqvists" } });
    await waitFor(() => expect(heading()).toBe("Welcome, Ana Lindqvist"));
  });
});

describe("a proof in the browser", () => {
  it("leaves the page as it was, half-typed words included, and the act is done", async () => {
    const host = await openFamily();
    host.wantsProof = true;
    await press("Add a child");
    await type("The child’s name", "Li");
    await press("Change Ben Okafor");
    await press("Pause");
    await fireEvent.click(dialog().getByRole("button", { name: "Pause" }));
    await screen.findByRole("heading", { name: "Confirm that it’s you" });
    expect(screen.queryByRole("heading", { name: "The Lindqvists" })).toBeNull();
    host.confirm();
    await screen.findByText("Done. Ben Okafor is paused.");
    expect(heading()).toBe("The Lindqvists");
    expect(screen.getByLabelText<HTMLInputElement>("The child’s name").value).toBe("Li");
  });

  it("can be cancelled, and the page says calmly that nothing was changed", async () => {
    const host = await openFamily();
    host.wantsProof = true;
    await press("Change Ben Okafor");
    await press("Pause");
    await fireEvent.click(dialog().getByRole("button", { name: "Pause" }));
    await screen.findByRole("heading", { name: "Confirm that it’s you" });
    await press("Cancel");
    await screen.findByText(/so nothing was changed/);
    expect(heading()).toBe("The Lindqvists");
    expect(wishes(host)).toEqual(["change_member", "cancel_step_up"]);
  });
});
