import { kioskWords } from "../../src/kiosk/words";
import { windowWords } from "../../src/lib/i18n/catalogs";
import { bringPages } from "../../src/screens/pages";

// As main.ts does for the first frame; what happens before these are here has tests of its own.
await Promise.all([
  ...[windowWords, kioskWords].flatMap((book) => [book.bring("de"), book.bring("es")]),
  bringPages(),
]);
