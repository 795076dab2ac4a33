// The page in Chromium over the real programs.  One nation and one browser for all stories: first, two by two,
// those that look at the sample register as it was imported, then, one after the other, those that edit it.
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
  access(rig);
  describe("as imported", { concurrency: 2 }, () => {
    for (const story of [pages, keyboard, statement, download, lists, trust]) story(rig);
  });
  for (const story of [live, asof, records, stale]) story(rig);
});
