// The page in Chromium over the real programs.  One nation and one browser for all stories, one after the
// other in this order: the first ones look at the sample register as it was imported, later ones edit it.
import { after, before, describe } from "node:test";
import { Rig } from "./rig.mjs";
import access from "./stories/access.mjs";
import asof from "./stories/asof.mjs";
import download from "./stories/download.mjs";
import keyboard from "./stories/keyboard.mjs";
import lists from "./stories/lists.mjs";
import live from "./stories/live.mjs";
import pages from "./stories/pages.mjs";
import records from "./stories/records.mjs";
import stale from "./stories/stale.mjs";
import statement from "./stories/statement.mjs";
import trust from "./stories/trust.mjs";

describe("the page", { timeout: 540000 }, () => {
  const rig = new Rig();
  before(() => rig.start(), { timeout: 120000 });
  after(() => rig.end(), { timeout: 60000 });
  for (const story of [pages, access, keyboard, statement, download, lists, trust, live, asof, records, stale]) story(rig);
});
