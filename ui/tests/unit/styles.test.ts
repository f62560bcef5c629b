import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

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
