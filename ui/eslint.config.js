import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import { defineConfig } from "eslint/config";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

const onlyTheHostKnowsTauri = {
  patterns: [{ group: ["@tauri-apps/*"], message: "Only src/lib/host/tauri.ts knows Tauri." }],
};

export default defineConfig(
  { ignores: ["dist", "dist-preview", "src/lib/wire", "node_modules"] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { projectService: true, extraFileExtensions: [".svelte"] },
    },
    rules: {
      "no-restricted-imports": ["error", onlyTheHostKnowsTauri],
      "no-console": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Rust's unit arrives as null; `void` says that nobody looks at it.
      "@typescript-eslint/no-invalid-void-type": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      "svelte/no-at-html-tags": "error",
      // A literal style attribute is refused by the content security policy.
      "svelte/no-inline-styles": ["error", { allowTransitions: false }],
      "svelte/require-each-key": "error",
      // ESLint cannot see the types of components; svelte-check can, and judges these.
      "no-undef": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  {
    files: ["src/lib/host/tauri.ts", "tests/unit/lib/host/tauri.test.ts"],
    rules: { "no-restricted-imports": "off" },
  },
  {
    files: ["scripts/**", "tests/**", "*.config.*"],
    languageOptions: { globals: { ...globals.node } },
  },
);
