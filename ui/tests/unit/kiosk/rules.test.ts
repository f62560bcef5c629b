import { describe, expect, it, vi } from "vitest";

import { spoken } from "../../../src/kiosk/address";
import { largest } from "../../../src/kiosk/fit";
import { guard } from "../../../src/kiosk/guard";
import { mayPass, wakes } from "../../../src/kiosk/keys";
import { stacked } from "../../../src/kiosk/layers";
import { isNight } from "../../../src/kiosk/night";
import { MOST, PAGE_STANDS, pageAt, paged } from "../../../src/kiosk/pages";
import { lifeLeft, minutesLeft } from "../../../src/kiosk/ring";
import { shiftAt } from "../../../src/kiosk/shift";

const MINUTE = 60_000;

describe("the ring", () => {
  const life = { shown_at_ms: 10 * MINUTE, expires_at_ms: 20 * MINUTE };

  it.each([
    [10, 1, 10],
    [12.5, 0.75, 7],
    [19.5, 0.05, 0],
    [20, 0, 0],
    [25, 0, 0],
    [5, 1, 15],
  ])("at minute %d has %d left, %d whole minutes", (minute, left, minutes) => {
    expect(lifeLeft(life, minute * MINUTE)).toBeCloseTo(left);
    expect(minutesLeft(life, minute * MINUTE)).toBe(minutes);
  });

  it("is empty for a life that makes no sense", () => {
    expect(lifeLeft({ shown_at_ms: 5, expires_at_ms: 5 }, 4)).toBe(0);
    expect(lifeLeft({ shown_at_ms: 9, expires_at_ms: 5 }, 4)).toBe(0);
  });
});

describe("night", () => {
  it.each([
    [21, 59, false],
    [22, 0, true],
    [3, 30, true],
    [5, 59, true],
    [6, 0, false],
    [12, 0, false],
  ])("at %d:%d is %s", (hour, minute, night) => {
    expect(isNight(new Date(2026, 10, 3, hour, minute).getTime())).toBe(night);
  });
});

describe("the picture on the glass", () => {
  const places = Array.from({ length: 84 }, (_, minute) => shiftAt(minute * MINUTE));

  it("stands somewhere else each minute, and stays put within one", () => {
    for (const [minute, place] of places.entries()) {
      expect(shiftAt((minute + 1) * MINUTE)).not.toEqual(place);
      expect(shiftAt(minute * MINUTE + 59_999)).toEqual(place);
    }
  });

  it("never goes farther than a few steps, one at a time, and to either side", () => {
    for (const axis of ["x", "y"] as const) {
      const all = places.map((place) => place[axis]);
      expect(Math.min(...all)).toBe(-3);
      expect(Math.max(...all)).toBeLessThanOrEqual(4);
      for (const [at, one] of all.slice(1).entries()) {
        expect(Math.abs(one - (all[at] ?? 0))).toBe(1);
      }
    }
  });

  it("visits many places, so that no spot of the glass is burnt", () => {
    expect(new Set(places.map(({ x, y }) => `${x} ${y}`)).size).toBeGreaterThan(25);
  });
});

function key(name: string, chord: Partial<KeyboardEvent> = {}) {
  return { key: name, ctrlKey: false, altKey: false, metaKey: false, ...chord };
}

describe("x1 keys", () => {
  it.each(["p", "s", "o", "f", "u", "+", "-", "0", "n", "w", "t", "r", "I"])(
    "Ctrl+%s does nothing",
    (name) => {
      expect(mayPass(key(name, { ctrlKey: true }))).toBe(false);
      expect(mayPass(key(name, { metaKey: true }))).toBe(false);
      expect(wakes(key(name, { ctrlKey: true }))).toBe(false);
    },
  );

  it.each(["Backspace", "Escape", "ContextMenu", "F1", "F5", "F11", "F12", "/", "'", "a"])(
    "%s does nothing by itself",
    (name) => {
      expect(mayPass(key(name))).toBe(false);
    },
  );

  it("x5 what a barcode types goes nowhere", () => {
    for (const letter of "admin://open?x=1") expect(mayPass(key(letter))).toBe(false);
  });

  it("going back is no way out", () => {
    expect(mayPass(key("ArrowLeft", { altKey: true }))).toBe(false);
    expect(mayPass(key("ArrowLeft"))).toBe(true);
  });

  it("any key wakes a wall, but not what only changes other keys", () => {
    for (const name of ["a", "Enter", " ", "F5"]) expect(wakes(key(name))).toBe(true);
    for (const name of ["Shift", "Control", "Alt", "Meta"]) expect(wakes(key(name))).toBe(false);
  });
});

describe("x2 the guard", () => {
  it.each(["contextmenu", "selectstart", "dragover", "drop", "paste", "copy", "wheel"])(
    "refuses %s before anybody hears of it, until it lets go",
    (name) => {
      const letGo = guard(window);
      const event = new Event(name, { bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
      expect(event.defaultPrevented).toBe(true);
      letGo();
      const free = new Event(name, { bubbles: true, cancelable: true });
      document.body.dispatchEvent(free);
      expect(free.defaultPrevented).toBe(false);
    },
  );

  it("lets one finger touch, and two not pinch", () => {
    const letGo = guard(window);
    const touch = (fingers: number) => {
      const event = new Event("touchmove", { bubbles: true, cancelable: true });
      Object.defineProperty(event, "touches", { value: Array.from({ length: fingers }) });
      document.body.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect([touch(1), touch(2)]).toEqual([false, true]);
    letGo();
  });
});

describe("pages of notes", () => {
  it.each([
    [1, [1]],
    [4, [4]],
    [5, [3, 2]],
    [9, [3, 3, 3]],
    [13, [4, 4, 4, 1]],
  ])("%d notes make pages of %j", (count, sizes) => {
    const notes = Array.from({ length: count }, (_, note) => note);
    const pages = paged(notes, MOST);
    expect(pages.map((page) => page.length)).toEqual(sizes);
    expect(pages.flat()).toEqual(notes);
  });

  it("are none without notes", () => {
    expect(paged([], MOST)).toEqual([]);
  });

  it("are shown one after the other, and from the beginning again", () => {
    const at = (pages: number) => [0, 1, 2, 3].map((page) => pageAt(page * PAGE_STANDS, pages));
    expect(at(3)).toEqual([0, 1, 2, 0]);
    expect(at(1)).toEqual([0, 0, 0, 0]);
    expect(pageAt(-5, 3)).toBe(0);
    expect(pageAt(PAGE_STANDS - 1, 3)).toBe(0);
  });
});

describe("layers", () => {
  it("change in place under one name and lie down under another, never more than two", () => {
    const one = stacked<string>([], "code", "A");
    const same = stacked(one, "code", "B");
    expect(same).toEqual([{ id: 0, name: "code", value: "B" }]);
    const two = stacked(same, "wall", "C");
    expect(two.map(({ value }) => value)).toEqual(["B", "C"]);
    expect(stacked(two, "idle", "D").map(({ value }) => value)).toEqual(["C", "D"]);
  });
});

describe("the largest size that fits", () => {
  it("is found between the smallest and the largest", () => {
    const fits = vi.fn((size: number) => size <= 4.2);
    expect(largest(2, 8, fits)).toBeCloseTo(4.2, 1);
    expect(fits.mock.calls.length).toBeLessThan(15);
  });

  it("is the largest when all fit, and the smallest when none does", () => {
    expect(largest(2, 8, () => true)).toBe(8);
    expect(largest(2, 8, () => false)).toBe(2);
  });
});

it("an address is said without what every address begins with", () => {
  expect(spoken("https://family.example/link")).toBe("family.example/link");
  expect(spoken("http://127.0.0.1:8080/link/")).toBe("127.0.0.1:8080/link");
});
