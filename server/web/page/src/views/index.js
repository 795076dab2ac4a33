// Every view of the page.  A view is
//
//   export default {
//     path: "/region/:region",        // or several; without /en, which the router adds
//     nav: "nav_overview",            // a text of common.js if it stands in the navigation; else none
//     title(x, data) → text           // the h1 and the window's title; data is undefined while loading
//     async load(x) → data            // throws api's Problem; x.signal ends it
//     render(x, data) → template      // below the h1, which main.js renders
//     concerns(event, x) → bool       // should this change load the view again? (event null: unknown)
//     display: ["sort"]               // parameters that only change how the same data are shown
//   }
//
// x = { path, params, query (URLSearchParams), asOf, api, signal, live (live.js' state), columns, site,
//       state (the view's own, kept until another view opens), redraw(), reload(),
//       link(path, query) → href in this language and as_of, here(changes) → this page's address with
//       some parameters changed, go(path, query), and all of i18n.js' words: t, rich, label, date, … }
import accessibility from "./accessibility.js";
import changes from "./changes.js";
import entities from "./entities.js";
import entity from "./entity.js";
import networks from "./networks.js";
import overview from "./overview.js";
import quality from "./quality.js";
import region from "./region.js";
import trust from "./trust.js";

export const views = [overview, entities, networks, changes, quality, trust, accessibility, region, entity];
