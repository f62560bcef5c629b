import { bringCatalog } from "../../src/lib/i18n/catalogs";
import { bringPages } from "../../src/screens/pages";

// As main.ts does for the first frame; what happens before these are here has tests of its own.
await Promise.all([bringCatalog("de"), bringCatalog("es"), bringPages()]);
