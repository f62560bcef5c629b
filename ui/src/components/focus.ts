/**
 * Whether the focus may be led to something in this place: it is in there already, at the top of
 * the page, or nowhere, as what had it is gone. Whoever went on to something else is not fetched back.
 */
export function mayLead(place: Element | null | undefined): boolean {
  const { activeElement, body } = document;
  if (activeElement === null || activeElement === body) return true;
  return activeElement.localName === "h1" || (place?.contains(activeElement) ?? false);
}
