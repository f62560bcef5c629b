import { expect, it } from "vitest";

import { colourOf, initialsOf } from "../../../src/components/initials";

it.each([
  ["Ana Lindqvist", "AL"],
  ["Ana María de la Cruz", "AC"],
  ["ana@lindqvist.example", "A"],
  ["Zoë", "Z"],
  ["ñandú ángel", "ÑÁ"],
  ["  ", "?"],
  ["", "?"],
  ["👩‍👩‍👧", "?"],
  ["李小龍", "李"],
  ['"><img src=x onerror=alert(1)>', "IO"],
])("the initials of %j are %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

it("the same person always has the same one of six colours", () => {
  const colours = new Set(Array.from({ length: 200 }, (_, n) => colourOf(`person-${n}`)));
  expect([...colours].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(colourOf("3f1c9a52")).toBe(colourOf("3f1c9a52"));
});
