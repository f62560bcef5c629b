/**
 * Copies a text that is here or on its way; answers whether that worked. A promise is handed to the
 * clipboard as it is, because WebKit forgets who pressed the button once we await anything else.
 */
export async function copy(text: string | Promise<string>): Promise<boolean> {
  try {
    if (typeof text === "string") await navigator.clipboard.writeText(text);
    else await navigator.clipboard.write([new ClipboardItem({ "text/plain": asBlob(text) })]);
    return true;
  } catch {
    // Refused or not offered. The caller shows the text for copying by hand.
    return false;
  }
}

async function asBlob(text: Promise<string>): Promise<Blob> {
  return new Blob([await text], { type: "text/plain" });
}
