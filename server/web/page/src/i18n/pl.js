// One file for each view, and two that all share.
import common from "./pl/common.js";
import labels from "./pl/labels.js";
import overview from "./pl/overview.js";

export default { common, labels, overview };
