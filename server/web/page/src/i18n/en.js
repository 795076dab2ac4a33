// One file for each view, and two that all share.
import accessibility from "./en/accessibility.js";
import changes from "./en/changes.js";
import common from "./en/common.js";
import entities from "./en/entities.js";
import entity from "./en/entity.js";
import labels from "./en/labels.js";
import network from "./en/network.js";
import networks from "./en/networks.js";
import notfound from "./en/notfound.js";
import overview from "./en/overview.js";
import quality from "./en/quality.js";
import region from "./en/region.js";
import trust from "./en/trust.js";

export default {
  accessibility,
  changes,
  common,
  entities,
  entity,
  labels,
  network,
  networks,
  notfound,
  overview,
  quality,
  region,
  trust,
};
