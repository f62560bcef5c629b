import { describe, expect, it } from "vitest";

import { lindqvists, membership, person } from "../../../src/lib/host/household";
import { nameProblem } from "../../../src/screens/name";
import { grantable, looksAfter, rulesOver } from "../../../src/screens/roles";

const adult = person("m-1", "Ben", "adult");
const owner = person("m-2", "Eva", "owner");
const child = person("m-3", "Mia", "child", { managed: true });

describe("what the window offers to whom", () => {
  it("only owners make owners, and nobody makes a person a display", () => {
    expect(grantable(membership("owner"))).toEqual([
      "owner",
      "admin",
      "adult",
      "teen",
      "child",
      "caregiver",
    ]);
    expect(grantable(membership("admin"))).not.toContain("owner");
  });

  it("an admin changes everybody but owners, themselves and children without an account", () => {
    const admin = membership("admin");
    expect(rulesOver(admin, adult)).toBe(true);
    expect(rulesOver(admin, owner)).toBe(false);
    expect(rulesOver(admin, { ...adult, is_me: true })).toBe(false);
    expect(rulesOver(admin, child)).toBe(false);
    expect(rulesOver(membership("owner"), owner)).toBe(true);
  });

  it("an adult looks after children without an account, and rules over nobody", () => {
    const { members } = lindqvists("adult");
    const place = membership("adult");
    expect(members.filter((one) => rulesOver(place, one))).toEqual([]);
    expect(members.filter((one) => looksAfter(place, one)).map(({ name }) => name)).toEqual([
      "Mia",
    ]);
    expect(looksAfter(membership("teen"), child)).toBe(false);
  });
});

describe("a name", () => {
  it.each([
    ["Mia", null],
    ["  ", "name.missing"],
    [" " + "x".repeat(60) + " ", null],
    ["x".repeat(61), "name.long"],
    ["👩‍👩‍👧".repeat(12), null],
    ["👩‍👩‍👧".repeat(13), "name.long"],
  ])("%j has the problem %s", (typed, problem) => {
    expect(nameProblem(typed)).toBe(problem);
  });
});
