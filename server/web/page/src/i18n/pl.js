// One file for each view, and two that all share.
import accessibility from "./pl/accessibility.js";
import changes from "./pl/changes.js";
import common from "./pl/common.js";
import entities from "./pl/entities.js";
import entity from "./pl/entity.js";
import labels from "./pl/labels.js";
import network from "./pl/network.js";
import networks from "./pl/networks.js";
import notfound from "./pl/notfound.js";
import overview from "./pl/overview.js";
import quality from "./pl/quality.js";
import region from "./pl/region.js";
import trust from "./pl/trust.js";

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
