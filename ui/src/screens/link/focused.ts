/** Leads the focus to the first button in a place, once it is there. */
export function focused(place: HTMLElement): void {
  place.querySelector("button")?.focus();
}
