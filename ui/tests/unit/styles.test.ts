import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const TOKENS = readFileSync("src/styles/tokens.css", "utf8");
const styled = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(svelte|css)$/.test(name) && !name.endsWith("tokens.css"))
  .map((name) => ({ name, text: readFileSync(join("src", name), "utf8") }));

it("every colour is a token", () => {
  expect(styled.length).toBeGreaterThan(20);
  for (const { name, text } of styled) {
    const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? (name.endsWith(".css") ? text : "");
    expect(style, name).not.toMatch(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch|oklab|lab|lch)a?\(/i);
  }
});

it("every token that is used exists, and every one that exists is used", () => {
  const all = styled.map(({ text }) => text).join("\n");
  // Those that one component says to another, or that are measured.
  const own = ["--tone", "--tone-soft", "--pitch", "--fit", "--shift-x", "--shift-y"];
  const defined = new Set([...TOKENS.matchAll(/^\s*(--[\w-]+):/gm)].map(([, name]) => name ?? ""));
  const used = new Set(
    [...(all + TOKENS).matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name ?? ""),
  );
  expect([...used].filter((name) => !defined.has(name) && !own.includes(name))).toEqual([]);
  expect([...defined].filter((name) => !used.has(name))).toEqual([]);
});

it("no markup carries a style of its own, which the policy would refuse", () => {
  for (const { name, text } of styled) expect(text, name).not.toMatch(/\sstyle=/);
});

describe("a wall is read from across the room: 7:1", () => {
  const wall = TOKENS.slice(TOKENS.indexOf(":root.kiosk"));
  const night = TOKENS.slice(TOKENS.indexOf('[data-theme="night"] {'));
  const themes = { light: [0, wall], dark: [1, wall], night: [1, night] } as const;
  const persons = Array.from({ length: 6 }, (_, at) => ["on-person", `person-${at + 1}`] as const);
  const pairs = [
    ["text", "surface"],
    ["text", "surface-raised"],
    ["text-quiet", "surface"],
    ["text-quiet", "surface-raised"],
    ["accent", "surface"],
    ["on-accent", "accent"],
    ["on-plate", "plate"],
    ["on-scene", "scene-sky-high"],
    ["on-scene", "scene-sky-low"],
    ...persons,
  ] as const;

  /** The colour of a token by day (0) or by lamplight (1), in the first of some texts that has it. */
  function colour(token: string, side: number, ...texts: string[]): string {
    for (const text of texts) {
      const block = text === TOKENS ? text : text.slice(0, text.indexOf("\n}"));
      const value = new RegExp(`--${token}: (.*);`).exec(block)?.[1] ?? "";
      const found = value.match(/#[0-9a-f]{6}/g) ?? [];
      const chosen = found[side] ?? found[0];
      if (chosen) return chosen;
    }
    throw new Error(`${token} has no colour`);
  }

  function brightness(hex: string): number {
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
    const [red = 0, green = 0, blue = 0] = parts.map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  it.each(Object.keys(themes) as (keyof typeof themes)[])("in %s", (name) => {
    const [side, own] = themes[name];
    for (const [one, other] of pairs) {
      const [low = 0, high = 0] = [one, other]
        .map((token) => brightness(colour(token, side, own, TOKENS)))
        .sort((a, b) => a - b);
      expect((high + 0.05) / (low + 0.05), `${one} on ${other}`).toBeGreaterThanOrEqual(7);
    }
  });
});
