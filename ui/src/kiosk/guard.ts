import { mayPass } from "./keys";

/** What a web page does by itself and a wall never shall: menus, selecting, dropping, going away. */
const REFUSED = [
  "contextmenu",
  "selectstart",
  "dragstart",
  "dragenter",
  "dragover",
  "drop",
  "copy",
  "cut",
  "paste",
  "auxclick",
  // The names that WebKit has for pinching.
  "gesturestart",
  "gesturechange",
];

/** Keeps what happens on the glass from being more than a touch; answers how to let go again. */
export function guard(target: Window): () => void {
  const refuse = (event: Event) => event.preventDefault();
  const filter = (event: KeyboardEvent) => {
    if (!mayPass(event)) event.preventDefault();
  };
  const pinch = (event: TouchEvent) => {
    if (event.touches.length > 1) event.preventDefault();
  };
  // Before anything on the page hears of it, and allowed to refuse where a browser assumes otherwise.
  const how = { capture: true, passive: false };
  for (const name of REFUSED) target.addEventListener(name, refuse, how);
  // Scrolling has nothing to scroll, and zooming is done with the wheel as well.
  target.addEventListener("wheel", refuse, how);
  target.addEventListener("keydown", filter, how);
  target.addEventListener("touchmove", pinch, how);
  return () => {
    for (const name of REFUSED) target.removeEventListener(name, refuse, how);
    target.removeEventListener("wheel", refuse, how);
    target.removeEventListener("keydown", filter, how);
    target.removeEventListener("touchmove", pinch, how);
  };
}
