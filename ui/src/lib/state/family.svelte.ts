import { createContext } from "svelte";

import { errorOf, type CommandName, type Host } from "../host/host";
import type { ChangeMember } from "../wire/ChangeMember";
import type { CreateInvite } from "../wire/CreateInvite";
import type { ErrorCode } from "../wire/ErrorCode";
import type { FamilyStanding } from "../wire/FamilyStanding";
import type { InviteId } from "../wire/InviteId";
import type { MemberId } from "../wire/MemberId";
import type { MembershipView } from "../wire/MembershipView";
import type { MemberView } from "../wire/MemberView";
import type { NoteId } from "../wire/NoteId";
import type { Permission } from "../wire/Permission";
import type { Clock } from "./clock.svelte";
import { NOTHING_KNOWN, READS, type ListName, type Lists } from "./lists";
import type { SessionState, Trouble } from "./session.svelte";

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
  #refusal = $state.raw<Refusal | null>(null);
  #busy = $state<CommandName | null>(null);

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

  /** Why the server could not be asked lately. */
  get unreached() {
    return this.#unreached;
  }

  /** The act that the server has not answered yet. */
  get busy() {
    return this.#busy;
  }

  /** Whether the person's role allows it, so that the window offers only that. */
  may(permission: Permission): boolean {
    return this.place?.permissions.includes(permission) ?? false;
  }

  /** Why the last act was refused, when it was one of these. */
  troubleOf(...commands: CommandName[]): Trouble | null {
    const refusal = this.#refusal;
    return refusal && commands.includes(refusal.command) ? refusal : null;
  }

  /** Puts what went wrong away. */
  dismiss = () => {
    this.#refusal = null;
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
    this.#act("accept_invite", (h) => h.call("accept_invite", { request: { code } }));

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

  post = (text: string) =>
    this.#act("post_note", (h) => h.call("post_note", { request: { text } }), "notes");

  takeDown = (id: NoteId) =>
    this.#act("remove_note", (h) => h.call("remove_note", { id }), "notes");

  /** Answers where the file is. */
  exportMyData = () => this.#act("export_my_data", (h) => h.call("export_my_data"));

  /** Does one thing at a time; answers what came of it, or null, and then `troubleOf` says why. */
  async #act<Answer>(
    command: CommandName,
    wish: (host: Host) => Promise<Answer>,
    changed?: ListName,
  ): Promise<{ answer: Answer } | null> {
    if (this.#busy) return null;
    this.#busy = command;
    this.#refusal = null;
    try {
      const answer = await wish(this.#host);
      if (changed) await this.#quietly(() => this.#bring([changed]));
      return { answer };
    } catch (thrown) {
      const error = errorOf(thrown);
      this.#refusal = { command, error, at: this.#clock.read() };
      if (OUTDATED.includes(error.code)) void this.load();
      return null;
    } finally {
      this.#busy = null;
    }
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
