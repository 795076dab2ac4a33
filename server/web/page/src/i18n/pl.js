// One file for each view, and two that all share.
import accessibility from "./pl/accessibility.js";
import changes from "./pl/changes.js";
import common from "./pl/common.js";
import labels from "./pl/labels.js";
import notfound from "./pl/notfound.js";
import overview from "./pl/overview.js";
import quality from "./pl/quality.js";
import trust from "./pl/trust.js";

export default { common, labels, overview, accessibility, changes, notfound, quality, trust };
