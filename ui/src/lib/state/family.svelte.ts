import { createContext } from "svelte";

import { errorOf, type CommandName, type Host } from "../host/host";
import type { ChallengeId } from "../wire/ChallengeId";
import type { ChangeDevice } from "../wire/ChangeDevice";
import type { ChangeMember } from "../wire/ChangeMember";
import type { ConfirmLink } from "../wire/ConfirmLink";
import type { CreateInvite } from "../wire/CreateInvite";
import type { DeviceId } from "../wire/DeviceId";
import type { DeviceView } from "../wire/DeviceView";
import type { EndedDisplay } from "../wire/EndedDisplay";
import type { ErrorCode } from "../wire/ErrorCode";
import type { FamilyNews } from "../wire/FamilyNews";
import type { FamilyPart } from "../wire/FamilyPart";
import type { FamilyStanding } from "../wire/FamilyStanding";
import type { InviteId } from "../wire/InviteId";
import type { MemberId } from "../wire/MemberId";
import type { MembershipView } from "../wire/MembershipView";
import type { MemberView } from "../wire/MemberView";
import type { NoteId } from "../wire/NoteId";
import type { Permission } from "../wire/Permission";
import type { PostNote } from "../wire/PostNote";
import type { Clock } from "./clock.svelte";
import { NOTHING_KNOWN, READS, type ListName, type Lists } from "./lists";
import type { SessionState, Trouble } from "./session.svelte";
import { Told, type DisplayNews } from "./told.svelte";

/** An act that was refused. */
interface Refusal extends Trouble {
  readonly command: CommandName;
}

/** Refusals that mean: what the window shows is no longer so. */
const OUTDATED: readonly ErrorCode[] = [
  "authz.role_missing",
  "authz.family_mismatch",
  "family.already_member",
  "resource.not_found",
];

/**
 * The family of who is signed in. Their place in it comes with the session; the lists are asked for
 * and replaced as a whole, after each act and whenever the window gets the focus.
 */
export class FamilyState {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #session: SessionState;
  #lists = $state.raw<Lists>(NOTHING_KNOWN);
  /** Whose lists these are; those of another family or role are not shown for a moment. */
  #whose = $state<string | null>(null);
  #turns: Partial<Record<ListName, number>> = {};
  #unreached = $state.raw<Trouble | null>(null);
  /** Of the acts since the last one was asked for, the newest first. */
  #refusals = $state.raw<readonly Refusal[]>([]);
  /** The acts that the server has not answered yet: one under way, the others behind it. */
  #acts = $state.raw<readonly CommandName[]>([]);
  #lastAct: Promise<unknown> = Promise.resolve();
  #invitation = $state<string | null>(null);
  readonly #told = new Told();

  constructor(host: Host, clock: Clock, session: SessionState) {
    this.#host = host;
    this.#clock = clock;
    this.#session = session;
  }

  /** How the person stands to a family; null when nobody is signed in. */
  get standing(): FamilyStanding | null {
    return this.#session.inside?.family ?? null;
  }

  /** The person's place in their family, if they have one. */
  get place(): MembershipView | null {
    return this.standing?.kind === "member" ? this.standing.membership : null;
  }

  /** Whether somebody has paused that place: it is kept, and good for nothing but to be left. */
  get paused(): boolean {
    return this.place?.state === "deactivated";
  }

  /** Another one means that everything has to be asked anew; null: there is nothing to ask. */
  get key(): string | null {
    const { inside } = this.#session;
    if (!inside || inside.family.kind === "unserved") return null;
    const { place } = this;
    const where = place ? [place.family.id, place.role, place.state] : [inside.family.kind];
    return [inside.account.id, ...where].join(" ");
  }

  /** Everybody in the family, the notes and so on; null before they have come. */
  get lists(): Lists {
    return this.#whose === this.key ? this.#lists : NOTHING_KNOWN;
  }

  /** The code of the invitation whose link brought somebody here, until they have joined. */
  get invitation() {
    return this.#invitation;
  }

  /** Why the server could not be asked lately. */
  get unreached() {
    return this.#unreached;
  }

  /** Whether one of these acts is under way or waits for its turn. */
  isBusy(...commands: CommandName[]): boolean {
    return this.#acts.some((command) => commands.includes(command));
  }

  /** Whether the person's role allows it, so that the window offers only that. */
  may(permission: Permission): boolean {
    return this.place?.permissions.includes(permission) ?? false;
  }

  /** Why the last act was refused, when it was one of these. */
  troubleOf(...commands: CommandName[]): Trouble | null {
    return this.#refusals.find(({ command }) => commands.includes(command)) ?? null;
  }

  /**
   * The displays that somebody linked within the time in which it can be undone, also while this
   * window was closed, until the person puts the news away. Nobody is told of their own deed, and
   * whether there is still time is for the server's clock to say.
   */
  get joined(): readonly DeviceView[] {
    const joined = (this.lists.devices ?? []).filter(
      (one) => one.state !== "pending" && one.undo_until_ms !== null,
    );
    return this.#untold(joined);
  }

  /**
   * The displays that the server ended because their sign-in was used in two places, also while this
   * window was closed, until the person puts the news away or somebody links them again.
   */
  get ended(): readonly EndedDisplay[] {
    return this.#untold(this.lists.ended ?? []);
  }

  /** Begins to hear of what happens in the family. */
  follow = async () => {
    // Without it the window still looks again after each act and whenever it gets the focus.
    await this.#host.watchFamily((news) => void this.hear(news)).catch(() => undefined);
  };

  /** Something happened in the family: what the window shows of it is asked for again. */
  hear = async (news: FamilyNews) => {
    if (this.key === null) return;
    const parts: readonly FamilyPart[] = news.kind === "changed" ? news.parts : ["devices"];
    if (parts.includes("family")) await this.load();
    else await this.#quietly(() => this.#bring(parts.filter((part) => part !== "family")));
  };

  /** Puts the news of a display away, for good. */
  putAway = (news: DisplayNews) => {
    const account = this.#session.inside?.account.id;
    if (account !== undefined) this.#told.add(account, news);
  };

  /** Keeps the code of an invitation that can be used only once somebody has signed in. */
  keepInvitation = (code: string | null) => {
    this.#invitation = code;
  };

  /** Puts what went wrong away. */
  dismiss = () => {
    this.#refusals = [];
    this.#unreached = null;
  };

  /** Asks for everything that the person may see. */
  load = async () => {
    if (this.key === null) return;
    await this.#quietly(async () => {
      await this.#host.call("load_family");
      await this.#bring(Object.keys(READS) as ListName[]);
    });
  };

  create = (name: string) =>
    this.#act("create_family", (h) => h.call("create_family", { request: { name } }));

  preview = (code: string) =>
    this.#act("preview_invite", (h) => h.call("preview_invite", { request: { code } }));

  join = (code: string) =>
    this.#act("accept_invite", async (h) => {
      const me = await h.call("accept_invite", { request: { code } });
      this.#invitation = null;
      return me;
    });

  rename = (name: string) =>
    this.#act("rename_family", async (h) => {
      await h.call("rename_family", { request: { name } });
      await h.call("load_family");
    });

  leave = () => this.#act("leave_family", (h) => h.call("leave_family"));

  /** `name` is the family's, as the person typed it. */
  end = (name: string) =>
    this.#act("delete_family", (h) => h.call("delete_family", { request: { name } }));

  addChild = (name: string) =>
    this.#act("add_child", (h) => h.call("add_child", { request: { name } }), "members");

  renameChild = (id: MemberId, name: string) =>
    this.#act("rename_child", (h) => h.call("rename_child", { id, name }), "members");

  changeMember = (id: MemberId, request: ChangeMember) =>
    this.#act("change_member", (h) => h.call("change_member", { id, request }), "members");

  removeMember = ({ id, managed }: MemberView) =>
    this.#act("remove_member", (h) => h.call("remove_member", { id, child: managed }), "members");

  invite = (request: CreateInvite) =>
    this.#act("create_invite", (h) => h.call("create_invite", { request }), "invites");

  withdraw = (id: InviteId) =>
    this.#act("withdraw_invite", (h) => h.call("withdraw_invite", { id }), "invites");

  post = (request: PostNote) =>
    this.#act("post_note", (h) => h.call("post_note", { request }), "notes");

  takeDown = (id: NoteId) =>
    this.#act("remove_note", (h) => h.call("remove_note", { id }), "notes");

  /** What the display with this code says of itself. */
  lookUp = (code: string) =>
    this.#act("look_up_link", (h) => h.call("look_up_link", { request: { user_code: code } }));

  link = (request: ConfirmLink) =>
    this.#act(
      "confirm_link",
      async (h) => {
        const device = await h.call("confirm_link", { request });
        this.putAway(device);
        return device;
      },
      "devices",
    );

  declineLink = (challenge: ChallengeId) =>
    this.#act("decline_link", (h) => h.call("decline_link", { request: { challenge } }));

  changeDisplay = (deviceId: DeviceId, request: ChangeDevice) =>
    this.#act("change_device", (h) => h.call("change_device", { deviceId, request }), "devices");

  revokeDisplay = (deviceId: DeviceId) =>
    this.#act("revoke_device", (h) => h.call("revoke_device", { deviceId }), "devices");

  undoLink = (device: DeviceView) =>
    this.#act(
      "undo_link",
      async (h) => {
        await h.call("undo_link", { deviceId: device.id });
        this.putAway(device);
      },
      "devices",
    );

  renewDisplay = (deviceId: DeviceId) =>
    this.#act("renew_device", (h) => h.call("renew_device", { deviceId }), "devices");

  /** Answers where the file is. */
  exportMyData = () => this.#act("export_my_data", (h) => h.call("export_my_data"));

  /**
   * Does one thing at a time, in the order in which they were asked for; what is under way already
   * is not begun again. Answers what came of it, or null, and then `troubleOf` says why.
   */
  #act<Answer>(
    command: CommandName,
    wish: (host: Host) => Promise<Answer>,
    changed?: ListName,
  ): Promise<{ answer: Answer } | null> {
    if (this.isBusy(command)) return Promise.resolve(null);
    const isFirst = this.#acts.length === 0;
    const who = this.#session.inside?.account.id;
    this.#acts = [...this.#acts, command];
    this.#refusals = [];
    const run = async () => {
      try {
        // Nobody else's act: somebody may have signed in since it was asked for.
        if (this.#session.inside?.account.id !== who) return null;
        return await this.#do(command, wish, changed);
      } finally {
        this.#acts = this.#acts.filter((one) => one !== command);
      }
    };
    const act = isFirst ? run() : this.#lastAct.then(run);
    this.#lastAct = act;
    return act;
  }

  async #do<Answer>(
    command: CommandName,
    wish: (host: Host) => Promise<Answer>,
    changed?: ListName,
  ): Promise<{ answer: Answer } | null> {
    try {
      const answer = await wish(this.#host);
      if (changed) await this.#quietly(() => this.#bring([changed]));
      return { answer };
    } catch (thrown) {
      const error = errorOf(thrown);
      this.#refusals = [{ command, error, at: this.#clock.read() }, ...this.#refusals];
      if (OUTDATED.includes(error.code)) void this.load();
      return null;
    }
  }

  /** What of this is still to be told to the person, if it is their affair. */
  #untold<News extends DisplayNews>(all: readonly News[]): readonly News[] {
    const account = this.#session.inside?.account.id;
    if (account === undefined || !this.may("devices.link")) return [];
    return all.filter((one) => !this.#told.has(account, one));
  }

  /** Asks; what the window knows stays when there is no answer. */
  async #quietly(ask: () => Promise<void>) {
    try {
      await ask();
      this.#unreached = null;
    } catch (thrown) {
      this.#unreached = { error: errorOf(thrown), at: this.#clock.read() };
    }
  }

  async #bring(names: readonly ListName[]) {
    const { key } = this;
    await Promise.all(
      names.filter((name) => this.may(READS[name].needs)).map((name) => this.#replace(name, key)),
    );
  }

  async #replace(name: ListName, key: string | null) {
    const turn = (this.#turns[name] ?? 0) + 1;
    this.#turns[name] = turn;
    const list = await READS[name].ask(this.#host);
    // A later question has been asked, or the person is somewhere else by now.
    if (this.#turns[name] !== turn || this.key !== key) return;
    this.#lists = { ...this.lists, ...list };
    this.#whose = key;
  }
}

export const [getFamily, setFamily] = createContext<FamilyState>();
