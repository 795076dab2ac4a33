// One file for each view, and two that all share.
import accessibility from "./en/accessibility.js";
import changes from "./en/changes.js";
import common from "./en/common.js";
import labels from "./en/labels.js";
import notfound from "./en/notfound.js";
import overview from "./en/overview.js";
import quality from "./en/quality.js";
import trust from "./en/trust.js";

export default { common, labels, overview, accessibility, changes, notfound, quality, trust };
