// One file for each view, and two that all share.
import common from "./en/common.js";
import labels from "./en/labels.js";
import overview from "./en/overview.js";

export default { common, labels, overview };
