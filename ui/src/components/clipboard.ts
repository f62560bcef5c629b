/**
 * Copies a text that is here or on its way (null when it turns out that there is none); answers
 * whether that worked. A promise is handed to the clipboard as it is, because WebKit forgets who
 * pressed the button once we await anything else.
 */
export async function copy(text: string | Promise<string | null>): Promise<boolean> {
  try {
    if (typeof text === "string") await navigator.clipboard.writeText(text);
    else await write(text);
    return true;
  } catch {
    // Refused or not offered. The caller shows the text for copying by hand.
    return false;
  }
}

async function write(text: Promise<string | null>) {
  const blob = text.then((found) => {
    if (found === null) throw new Error("there is nothing to copy");
    return new Blob([found], { type: "text/plain" });
  });
  // Both are awaited, so that neither can fail unheard.
  await Promise.all([blob, put(blob)]);
}

async function put(blob: Promise<Blob>) {
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}
