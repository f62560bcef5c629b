import { afterEach, describe, expect, it, vi } from "vitest";

import { copy } from "../../../src/components/clipboard";

afterEach(() => vi.unstubAllGlobals());

describe("copying", () => {
  it("writes a text that is at hand", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    expect(await copy("details")).toBe(true);
    expect(writeText).toHaveBeenCalledWith("details");
  });

  it("hands a text that is on its way to the clipboard before it has come", async () => {
    const items: Record<string, Promise<Blob>>[] = [];
    vi.stubGlobal("ClipboardItem", function (data: Record<string, Promise<Blob>>) {
      items.push(data);
    });
    vi.stubGlobal("navigator", { clipboard: { write: () => items[0]?.["text/plain"] } });
    expect(await copy(Promise.resolve("https://link"))).toBe(true);
    expect(await (await items[0]?.["text/plain"])?.text()).toBe("https://link");
  });

  it("says so when the clipboard refuses or is missing", async () => {
    vi.stubGlobal("navigator", { clipboard: { writeText: () => Promise.reject(new Error("no")) } });
    expect(await copy("x")).toBe(false);
    vi.stubGlobal("navigator", {});
    expect(await copy("x")).toBe(false);
  });
});
