// Fails the build when the catalogs do not say the same things: a missing or an extra key, another
// set of {places}, a plural form too few, an empty sentence, or a key that no source file names.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** @typedef {string | Record<string, string>} Message */
/** @typedef {Record<string, Message>} Catalog */

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));
const MEASURE = "en";

/**
 * Everything wrong with the catalogs, as sentences; empty when they agree.
 * @param {Record<string, Catalog>} catalogs by language, English among them
 * @returns {string[]}
 */
export function disagreements(catalogs) {
  const measure = catalogs[MEASURE] ?? {};
  return Object.entries(catalogs).flatMap(([language, catalog]) => [
    ...Object.keys(measure)
      .filter((key) => !(key in catalog))
      .map((key) => `${language}: "${key}" is missing`),
    ...Object.entries(catalog).flatMap(([key, message]) =>
      judge(language, key, message, measure[key]),
    ),
  ]);
}

/**
 * @param {string} language
 * @param {string} key
 * @param {Message} message
 * @param {Message | undefined} measure
 * @returns {string[]}
 */
function judge(language, key, message, measure) {
  const where = `${language}: "${key}"`;
  if (measure === undefined) return [`${where} is not in ${MEASURE}`];
  if ((typeof message === "string") !== (typeof measure === "string")) {
    return [`${where} has plural forms in one language only`];
  }
  const wanted = places(measure);
  const problems = sentences(message)
    .filter((sentence) => places(sentence) !== wanted)
    .map((sentence) => `${where} has the places ${places(sentence)}, not ${wanted}`);
  if (sentences(message).some((sentence) => sentence.trim() === "")) {
    problems.push(`${where} is empty`);
  }
  if (typeof message !== "string") problems.push(...missingForms(language, where, message));
  return problems;
}

/**
 * @param {string} language
 * @param {string} where
 * @param {Record<string, string>} forms
 * @returns {string[]}
 */
function missingForms(language, where, forms) {
  const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const given = Object.keys(forms);
  if ([...wanted].sort().join() === given.sort().join()) return [];
  return [`${where} has the plural forms ${given.join()}, not ${wanted.join()}`];
}

/** @param {Message} message */
function sentences(message) {
  return typeof message === "string" ? [message] : Object.values(message);
}

/**
 * The places of a message in a comparable form. Plural forms share theirs.
 * @param {Message} message
 */
function places(message) {
  const names = sentences(message).flatMap((sentence) => sentence.match(/\{\w+\}/g) ?? []);
  return [...new Set(names)].sort().join(" ") || "(none)";
}

/**
 * Keys that no source names. A key made from parts counts when its fixed parts fit, as in
 * `problem.${code}.what`.
 * @param {string[]} keys
 * @param {string} sources
 * @returns {string[]}
 */
export function unused(keys, sources) {
  const templates = [...sources.matchAll(/`((?:[\w.]|\$\{[^}]+\})*\.(?:[\w.]|\$\{[^}]+\})*)`/g)];
  const patterns = templates.map(
    ([, made = ""]) =>
      new RegExp(`^${made.replaceAll(".", "\\.").replace(/\$\{[^}]+\}/g, "[\\w.]+")}$`),
  );
  return keys.filter(
    (key) => !sources.includes(`"${key}"`) && !patterns.some((pattern) => pattern.test(key)),
  );
}

/**
 * The catalogs of one window, by language. English stands in two files: the words of the first
 * frame, and those that come after it.
 * @param {string} folder below the sources
 * @returns {Record<string, Catalog>}
 */
function readFolder(folder) {
  const files = readdirSync(join(SOURCES, folder)).filter((name) => name.endsWith(".json"));
  const parts = files.map((name) => ({
    language: name.split(".")[0] ?? "",
    text: readFileSync(join(SOURCES, folder, name), "utf8"),
  }));
  return Object.fromEntries(
    parts.map(({ language }) => [
      language,
      /** @type {Catalog} */ (
        Object.assign({}, ...parts.filter((one) => one.language === language).map(parsed))
      ),
    ]),
  );
}

/**
 * @param {{ text: string }} part
 * @returns {unknown}
 */
const parsed = ({ text }) => JSON.parse(text);

/** The words of the family member's window. */
export const readCatalogs = () => readFolder("lib/i18n/catalogs");

/** The words of the wall display. */
export const readKioskCatalogs = () => readFolder("kiosk/words");

/** @returns {string} */
export function readSources() {
  return readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|svelte)$/.test(name))
    .map((name) => readFileSync(join(SOURCES, name), "utf8"))
    .join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = [readCatalogs(), readKioskCatalogs()].flatMap((catalogs) => [
    ...disagreements(catalogs),
    ...unused(Object.keys(catalogs[MEASURE] ?? {}), readSources()).map(
      (key) => `"${key}" is never used`,
    ),
  ]);
  for (const problem of problems) process.stderr.write(`catalogs: ${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
