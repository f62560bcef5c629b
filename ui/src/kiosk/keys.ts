/** Keys that move or press what is on the screen, and do nothing else. */
const KEPT = ["Tab", "Enter", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];

/** Keys that only change what other keys mean. */
const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock"];

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey">;

/**
 * Whether a key may do what a browser does with it. All that print, save, search, zoom, reload or
 * go back with are chords, function keys or Backspace: on a wall none of them does anything.
 */
export function mayPass(key: Key): boolean {
  return KEPT.includes(key.key) && !isChord(key);
}

/** Whether somebody pressed a key to wake the wall. */
export function wakes(key: Key): boolean {
  return !MODIFIERS.includes(key.key) && !isChord(key);
}

function isChord({ ctrlKey, altKey, metaKey }: Key): boolean {
  return ctrlKey || altKey || metaKey;
}
