import { describe, expect, it } from "vitest";

import { FakeHost } from "../../../../src/lib/host/fake";
import { problem, scenes } from "../../../../src/lib/host/scenes";
import { Clock } from "../../../../src/lib/state/clock.svelte";
import { SessionState } from "../../../../src/lib/state/session.svelte";
import { ENGLISH } from "../../show";

const NOON = Date.UTC(2026, 10, 3, 12);

function sessionAt(scene: keyof typeof scenes) {
  const host = new FakeHost(scenes[scene](), ENGLISH);
  const session = new SessionState(host, new Clock(() => NOON), host.snapshot);
  return { host, session };
}

describe("the copy of the session", () => {
  it("is starting until Rust says more", () => {
    const host = new FakeHost(scenes.home(), ENGLISH);
    expect(new SessionState(host, new Clock()).stage.kind).toBe("starting");
  });

  it("takes the first snapshot when it begins to follow", async () => {
    const host = new FakeHost(scenes.home(), ENGLISH);
    const session = new SessionState(host, new Clock());
    await session.follow();
    expect(session.stage.kind).toBe("signed_in");
  });

  it("is replaced as a whole by a newer snapshot", async () => {
    const { host, session } = sessionAt("home_memory");
    await session.follow();
    host.show({ storage: { kind: "keyring" }, provider: null });
    expect(session.storage).toEqual({ kind: "keyring" });
    expect(session.provider).toBeNull();
  });

  it("is not overwritten by a late snapshot with an older revision", async () => {
    const { host, session } = sessionAt("home");
    await session.follow();
    host.show({ provider: null });
    host.send(scenes.signed_out_never());
    expect(session.stage.kind).toBe("signed_in");
    expect(session.provider).toBeNull();
  });

  it("takes a snapshot with the same revision, which may come twice at the start", () => {
    const { session } = sessionAt("home");
    session.accept({ ...scenes.home(), provider: null });
    expect(session.provider).toBeNull();
  });
});

describe("what went wrong", () => {
  it("is what Rust reports, with the time it was first heard", () => {
    let now = NOON;
    const session = new SessionState(
      new FakeHost(scenes.home(), ENGLISH),
      new Clock(() => now),
      scenes.home_offline(),
    );
    now += 60_000;
    session.accept({ ...scenes.home_offline(), revision: 2 });
    expect(session.trouble).toEqual({ error: problem("provider.busy"), at: NOON });
  });

  it("is the refusal of a wish, until the next wish", async () => {
    const { host, session } = sessionAt("signed_out_never");
    host.refuse("begin_sign_in", problem("net.unreachable"));
    await session.begin("sign_in");
    expect(session.trouble?.error.code).toBe("net.unreachable");
    await session.begin("sign_in");
    expect(session.trouble).toBeNull();
  });

  it("stays while the session only falls back, because nobody has read it yet", async () => {
    const { host, session } = sessionAt("waiting");
    await session.follow();
    host.refuse("open_browser_again", problem("redirect.expired"));
    await session.openAgain();
    host.show({ stage: scenes.signed_out_never().stage });
    expect(session.trouble?.error.code).toBe("redirect.expired");
  });

  it("goes when somebody is signed in after all", async () => {
    const { host, session } = sessionAt("signed_out_never");
    await session.follow();
    host.refuse("begin_sign_in", problem("internal"));
    await session.begin("sign_in");
    host.finish();
    expect(session.trouble).toBeNull();
  });

  it("can be put away, and comes back only when it happens anew", () => {
    const { session } = sessionAt("home_offline");
    session.dismiss();
    session.accept({ ...scenes.home_offline(), revision: 2 });
    expect(session.trouble).toBeNull();
    session.accept({ ...scenes.home_offline(), revision: 3, problem: null });
    session.accept({ ...scenes.home_offline(), revision: 4 });
    expect(session.trouble?.error.code).toBe("provider.busy");
  });

  it("is a defect of ours when it is no error of ours", async () => {
    const { host, session } = sessionAt("home");
    host.call = () => Promise.reject(new Error("sign_out not allowed by ACL"));
    await session.signOut("here");
    expect(session.trouble?.error).toEqual({
      code: "internal",
      message: "sign_out not allowed by ACL",
      reason: null,
      correlation_id: null,
    });
  });

  it("includes that the session cannot be followed", async () => {
    const { host, session } = sessionAt("starting");
    host.watchSession = () => Promise.reject(new Error("no such command"));
    await session.follow();
    expect(session.trouble?.error.code).toBe("internal");
  });
});

describe("a wish", () => {
  it("is named while Rust has not answered it, and not sent twice", async () => {
    const { host, session } = sessionAt("signed_out_never");
    const release = host.hold("begin_sign_in");
    const first = session.begin("sign_in");
    await session.begin("sign_in");
    expect(session.busy).toBe("begin_sign_in");
    release();
    await first;
    expect(session.busy).toBeNull();
    expect(host.calls).toHaveLength(1);
  });

  it("can be cancelled while it hangs", async () => {
    const { host, session } = sessionAt("signed_out_never");
    host.hold("begin_sign_in");
    void session.begin("sign_in");
    await session.cancel();
    expect(host.calls.map((call) => call.command)).toEqual(["begin_sign_in", "cancel_sign_in"]);
    expect(session.busy).toBeNull();
  });

  it("for the link answers null and says why when there is none", async () => {
    const { host, session } = sessionAt("waiting");
    host.refuse("sign_in_link", problem("redirect.no_pending"));
    expect(await session.link()).toBeNull();
    expect(session.trouble?.error.code).toBe("redirect.no_pending");
  });
});

describe("who is inside", () => {
  it("stays so while away to confirm or to edit the profile, and is not welcomed anew", async () => {
    for (const scene of ["waiting_step_up", "waiting_edit"] as const) {
      const { host, session } = sessionAt("home");
      await session.follow();
      host.show({ stage: scenes[scene]().stage });
      expect(session.inside?.account.name).toBe("Ana Lindqvist");
      expect(session.away).toBe(true);
      host.comeBack();
      expect(session.away).toBe(true);
      host.finish();
      expect(session.away).toBe(false);
      expect(session.justArrived).toBe(false);
    }
  });

  it("is nobody while somebody signs in, chooses a new password or is signed out", async () => {
    for (const scene of [
      "waiting",
      "waiting_reset",
      "signed_out_back",
      "storage_locked",
    ] as const) {
      const { host, session } = sessionAt("home");
      await session.follow();
      host.show({ stage: scenes[scene]().stage });
      expect(session.inside, scene).toBeNull();
      host.comeBack();
      expect(session.inside, scene).toBeNull();
    }
  });

  it("gives up a proof as a proof, and everything else as a sign-in", async () => {
    const { host, session } = sessionAt("home");
    await session.follow();
    host.show({ stage: scenes.waiting_edit().stage });
    await session.cancel();
    host.show({ stage: scenes.waiting_step_up().stage });
    await session.cancel();
    expect(host.calls.map(({ command }) => command)).toEqual(["cancel_sign_in", "cancel_step_up"]);
  });
});

describe("the welcome", () => {
  it("is for who came through the browser just now, not for who was signed in all along", async () => {
    const { host, session } = sessionAt("waiting");
    await session.follow();
    host.comeBack();
    host.finish();
    expect(session.justArrived).toBe(true);
    session.settleIn();
    expect(session.justArrived).toBe(false);
    expect(sessionAt("home").session.justArrived).toBe(false);
  });

  it("has its counterpart for who has just left", async () => {
    const { session } = sessionAt("home");
    await session.follow();
    await session.signOut("here");
    expect(session.justLeft).toBe(true);
    expect(sessionAt("signed_out_back").session.justLeft).toBe(false);
  });
});
