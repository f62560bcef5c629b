import { afterEach, describe, expect, it } from "vitest";

import { FakeHost } from "../../../../src/lib/host/fake";
import { freshDisplay, lindqvists, memberAs } from "../../../../src/lib/host/household";
import { householdOf, problem, scenes, type SceneName } from "../../../../src/lib/host/scenes";
import { Clock } from "../../../../src/lib/state/clock.svelte";
import { FamilyState } from "../../../../src/lib/state/family.svelte";
import { SessionState } from "../../../../src/lib/state/session.svelte";
import { ENGLISH } from "../../show";

const NOON = Date.UTC(2026, 10, 3, 12);

async function familyAt(scene: SceneName) {
  const clock = new Clock(() => NOON);
  const host = new FakeHost(scenes[scene](), ENGLISH, householdOf(scene));
  const session = new SessionState(host, clock, host.snapshot);
  await session.follow();
  return { host, session, family: new FamilyState(host, clock, session) };
}

afterEach(() => localStorage.clear());

const names = (host: FakeHost) => host.calls.map(({ command }) => command);

describe("the family of who is signed in", () => {
  it("is asked for as far as the role may see", async () => {
    const { host, family } = await familyAt("home_child");
    await family.load();
    expect(names(host).sort()).toEqual(["list_members", "list_notes", "load_family"]);
    expect(family.lists.members).toHaveLength(5);
    expect(family.lists.devices).toBeNull();
    expect(family.lists.invites).toBeNull();
  });

  it.each(["home_unserved", "signed_out_back", "storage_locked"] as const)(
    "is not asked for in %s",
    async (scene) => {
      const { host, family } = await familyAt(scene);
      await family.load();
      expect(family.key).toBeNull();
      expect(names(host)).toEqual([]);
    },
  );

  it("has no lists outside, only the question where one belongs", async () => {
    const { host, family } = await familyAt("onboarding");
    await family.load();
    expect(names(host)).toEqual(["load_family"]);
    expect(family.place).toBeNull();
  });

  it("shows nothing of a family once the person is in another one", async () => {
    const { host, family } = await familyAt("home");
    await family.load();
    const other = memberAs("owner", "Others");
    if (other.kind !== "member") throw new Error("not a member");
    host.place({
      ...other,
      membership: { ...other.membership, family: { ...other.membership.family, id: "f-2" } },
    });
    expect(family.lists.members).toBeNull();
    await family.load();
    expect(family.lists.members).not.toBeNull();
  });

  it("is asked for anew with another role", async () => {
    const { host, family } = await familyAt("home");
    const before = family.key;
    host.place(memberAs("teen"));
    expect(family.key).not.toBe(before);
    expect(family.may("invites.manage")).toBe(false);
  });

  it("is replaced as a whole, never patched", async () => {
    const { host, family } = await familyAt("home");
    await family.load();
    host.household = { ...lindqvists(), members: [] };
    await family.load();
    expect(family.lists.members).toEqual([]);
  });

  it("keeps a later answer when an earlier one comes after it", async () => {
    const { host, family } = await familyAt("home");
    await family.load();
    const late = host.household.notes;
    const answer = host.call.bind(host);
    let arrive: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (arrive = resolve));
    host.call = async (command, ...takes) => {
      const answered = await answer(command, ...takes);
      if (command !== "list_notes") return answered;
      host.call = answer;
      await slow;
      return { notes: late } as typeof answered;
    };
    const first = family.load();
    await new Promise((resolve) => setTimeout(resolve));
    host.household = { ...host.household, notes: [] };
    await family.load();
    arrive();
    await first;
    expect(family.lists.notes).toEqual([]);
  });
});

describe("a server that cannot be asked", () => {
  it("leaves what is known where it is, and says so with the time", async () => {
    const { host, family } = await familyAt("home");
    await family.load();
    host.refuse("list_notes", problem("server.unreachable"));
    await family.load();
    expect(family.lists.notes).toHaveLength(2);
    expect(family.unreached).toEqual({ error: problem("server.unreachable"), at: NOON });
    await family.load();
    expect(family.unreached).toBeNull();
  });

  it("does not turn an act that was done into one that was refused", async () => {
    const { host, family } = await familyAt("home");
    host.refuse("list_notes", problem("server.busy"));
    expect(await family.post({ text: "Hello" })).toEqual({ answer: undefined });
    expect(family.troubleOf("post_note")).toBeNull();
    expect(family.unreached?.error.code).toBe("server.busy");
  });
});

describe("an act", () => {
  it("is followed by the list that it changed", async () => {
    const { host, family } = await familyAt("home");
    await family.addChild("Liv");
    expect(names(host)).toEqual(["add_child", "list_members"]);
    expect(family.lists.members?.map(({ name }) => name)).toContain("Liv");
  });

  it("that is refused says why, to those who ask for it, until the next act", async () => {
    const { host, family } = await familyAt("home");
    host.refuse("leave_family", problem("family.last_owner"));
    expect(await family.leave()).toBeNull();
    expect(family.troubleOf("post_note")).toBeNull();
    expect(family.troubleOf("rename_family", "leave_family")).toMatchObject({
      error: problem("family.last_owner"),
      at: NOON,
    });
    await family.post({ text: "Hello" });
    expect(family.troubleOf("leave_family")).toBeNull();
  });

  it.each(["resource.not_found", "authz.role_missing", "authz.family_mismatch"] as const)(
    "refused with %s makes the window look again",
    async (code) => {
      const { host, family } = await familyAt("home");
      host.refuse("remove_note", problem(code));
      await family.takeDown("n-1");
      await new Promise((resolve) => setTimeout(resolve));
      expect(names(host)).toContain("load_family");
    },
  );

  it("is done once, however often it is asked for meanwhile", async () => {
    const { host, family } = await familyAt("home");
    const release = host.hold("post_note");
    const first = family.post({ text: "Hello" });
    expect(await family.post({ text: "Hello" })).toBeNull();
    expect(family.isBusy("leave_family", "post_note")).toBe(true);
    release();
    await first;
    expect(names(host).filter((name) => name === "post_note")).toHaveLength(1);
    expect(family.isBusy("post_note")).toBe(false);
  });

  it("waits for its turn behind another one, and is done then", async () => {
    const { host, family } = await familyAt("home");
    const release = host.hold("post_note");
    const first = family.post({ text: "Hello" });
    const second = family.takeDown("n-1");
    expect(family.isBusy("remove_note")).toBe(true);
    await new Promise((resolve) => setTimeout(resolve));
    expect(names(host)).toEqual(["post_note"]);
    release();
    await first;
    expect(await second).toEqual({ answer: undefined });
    expect(names(host)).toEqual(["post_note", "list_notes", "remove_note", "list_notes"]);
    expect(family.isBusy("post_note", "remove_note")).toBe(false);
  });

  it("is not forgotten when the one before it is refused, and hides no refusal", async () => {
    const { host, family } = await familyAt("home");
    const release = host.hold("post_note");
    host.refuse("post_note", problem("limit.reached"));
    const first = family.post({ text: "Hello" });
    const second = family.addChild("Liv");
    release();
    expect(await first).toBeNull();
    expect(await second).not.toBeNull();
    expect(family.troubleOf("post_note")?.error.code).toBe("limit.reached");
    expect(family.troubleOf("add_child")).toBeNull();
  });

  it("that waited is dropped when somebody else has signed in meanwhile", async () => {
    const { host, family } = await familyAt("home");
    const release = host.hold("post_note");
    const first = family.post({ text: "Hello" });
    const second = family.addChild("Liv");
    const { stage } = host.snapshot;
    if (stage.kind !== "signed_in") throw new Error("nobody is signed in");
    host.show({ stage: { ...stage, account: { ...stage.account, id: "somebody-else" } } });
    release();
    await first;
    expect(await second).toBeNull();
    expect(names(host)).not.toContain("add_child");
  });

  it("names a child without an account as one when it takes it out", async () => {
    const { host, family } = await familyAt("home");
    await family.load();
    const mia = family.lists.members?.find(({ name }) => name === "Mia");
    if (!mia) throw new Error("Mia is not there");
    await family.removeMember(mia);
    expect(host.calls.find(({ command }) => command === "remove_member")?.takes).toEqual({
      id: "m-mia",
      child: true,
    });
  });
});

describe("a proof that an act waits for", () => {
  it("keeps the family where it is while the person is away, then does the act", async () => {
    const { host, session, family } = await familyAt("home");
    await family.load();
    host.wantsProof = true;
    const change = family.changeMember("m-ben", { role: "admin" });
    await new Promise((resolve) => setTimeout(resolve));
    expect(session.stage).toMatchObject({ kind: "waiting_for_browser", purpose: "step_up" });
    expect(session.away).toBe(true);
    expect(family.lists.members).toHaveLength(5);
    host.confirm();
    expect(await change).not.toBeNull();
    expect(session.away).toBe(false);
    expect(family.lists.members?.find(({ id }) => id === "m-ben")?.role).toBe("admin");
  });

  it("can be given up, also in its last step, and then nothing was changed", async () => {
    const { host, session, family } = await familyAt("home");
    host.wantsProof = true;
    const change = family.changeMember("m-ben", { role: "admin" });
    await new Promise((resolve) => setTimeout(resolve));
    host.comeBack();
    expect(session.away).toBe(true);
    await session.cancel();
    expect(await change).toBeNull();
    expect(names(host)).toContain("cancel_step_up");
    expect(names(host)).not.toContain("cancel_sign_in");
    expect(family.troubleOf("change_member")?.error.code).toBe("session.step_up_required");
    expect(host.household.members.find(({ id }) => id === "m-ben")?.role).toBe("adult");
  });
});

describe("d17 the news of a display", () => {
  const joined = (family: FamilyState) => family.joined.map(({ id }) => id);

  async function withNews(...devices: ReturnType<typeof freshDisplay>[]) {
    const at = await familyAt("home");
    at.host.household.devices = devices;
    await at.family.load();
    return at;
  }

  it("is there at each start, until it was put away or the server says that it is too late", async () => {
    const bedroom = freshDisplay("d-7", "Bedroom", null);
    const first = await withNews(bedroom, freshDisplay("d-8", "Hall", null));
    expect(joined(first.family)).toEqual(["d-7", "d-8"]);
    first.family.putAway(bedroom);
    expect(joined(first.family)).toEqual(["d-8"]);
    const next = await withNews(bedroom, freshDisplay("d-8", "Hall", null));
    expect(joined(next.family)).toEqual(["d-8"]);
    next.host.household.devices = [
      bedroom,
      { ...freshDisplay("d-8", "Hall", null), undo_until_ms: null },
    ];
    await next.family.load();
    expect(joined(next.family)).toEqual([]);
  });

  it("comes again when the same display is linked again", async () => {
    const bedroom = freshDisplay("d-7", "Bedroom", null);
    const { family, host } = await withNews(bedroom);
    family.putAway(bedroom);
    host.household.devices = [{ ...bedroom, linked_at_ms: bedroom.linked_at_ms + 1 }];
    await family.load();
    expect(joined(family)).toEqual(["d-7"]);
  });

  it("does not come before the display itself has", async () => {
    const { family } = await withNews({
      ...freshDisplay("d-7", "Bedroom", null),
      state: "pending",
    });
    expect(joined(family)).toEqual([]);
  });

  it("is nobody else's: not of another family, and not put away for another account", async () => {
    const bedroom = freshDisplay("d-7", "Bedroom", null);
    const { family, host } = await withNews(bedroom);
    const place = memberAs("owner", "Others");
    if (place.kind !== "member") throw new Error("not a member");
    const other = { ...place.membership.family, id: "f-2" };
    host.place({ ...place, membership: { ...place.membership, family: other } });
    expect(joined(family)).toEqual([]);
    host.place(memberAs("owner"));
    await family.load();
    family.putAway(bedroom);
    expect(joined(family)).toEqual([]);
    const { stage } = host.snapshot;
    if (stage.kind !== "signed_in") throw new Error("nobody is signed in");
    host.show({ stage: { ...stage, account: { ...stage.account, id: "somebody-else" } } });
    await family.load();
    expect(joined(family)).toEqual(["d-7"]);
    host.show({ stage: scenes.signed_out_back().stage });
    expect(joined(family)).toEqual([]);
  });

  it("is only for those who could undo it", async () => {
    const { family, host } = await withNews(freshDisplay("d-7", "Bedroom", null));
    host.place(memberAs("teen"));
    await family.load();
    expect(family.lists.devices).toHaveLength(1);
    expect(joined(family)).toEqual([]);
  });

  it("is not told of one's own deed, also after the window was closed", async () => {
    const { family, host } = await withNews();
    const done = await family.link({ challenge: "c-1", number: "47", name: "Kitchen 2" });
    if (!done) throw new Error("not linked");
    expect(joined(family)).toEqual([]);
    const next = await withNews(...host.household.devices);
    expect(next.family.lists.devices).toHaveLength(1);
    expect(joined(next.family)).toEqual([]);
  });
});
