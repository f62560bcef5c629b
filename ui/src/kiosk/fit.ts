import type { Attachment } from "svelte/attachments";

const STEPS = 10;

/** The largest size from `least` to `most` that fits, to a thousandth of the way; else `least`. */
export function largest(least: number, most: number, fits: (size: number) => boolean): number {
  if (fits(most)) return most;
  let [low, high] = [least, most];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** What a text of this kind may be, in hundredths of the shorter side of the screen. */
interface Range {
  readonly least: number;
  readonly most: number;
  /** Hears whether even the smallest size was too large, after each measurement. */
  readonly spills?: (spills: boolean) => void;
}

/** Gives `--fit` of an element the largest size at which nothing of it sticks out. */
export function fitted({ least, most, spills }: Range): Attachment<HTMLElement> {
  return (element) => {
    const fits = (size: number) => {
      element.style.setProperty("--fit", `${size}vmin`);
      return (
        element.scrollHeight <= element.clientHeight + 1 &&
        element.scrollWidth <= element.clientWidth + 1
      );
    };
    const measure = () => {
      const size = largest(least, most, fits);
      spills?.(!fits(size));
    };
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  };
}
