import { describe, expect, it } from "vitest";

import { hoursOf } from "../../../src/screens/home/stands";

const at = (hour: number, minute: number) => new Date(2026, 10, 3, hour, minute).getTime();

describe("how long a note stands", () => {
  it("is until somebody takes it down, unless somebody chose otherwise", () => {
    expect(hoursOf("open", at(9, 0))).toEqual({});
  });

  it("is the rest of the day, in whole hours and never none", () => {
    expect(hoursOf("today", at(0, 0))).toEqual({ hours: 24 });
    expect(hoursOf("today", at(14, 5))).toEqual({ hours: 10 });
    expect(hoursOf("today", at(23, 59))).toEqual({ hours: 1 });
  });

  it("is a week", () => {
    expect(hoursOf("week", at(9, 0))).toEqual({ hours: 168 });
  });
});
