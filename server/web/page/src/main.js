// The page: which view is open, its data, and the frame around it.
import { html, render } from "lit-html";
import { makeApi, Problem } from "./api.js";
import { makeColumns } from "./columns.js";
import { words } from "./i18n.js";
import { startLive } from "./live.js";
import { address, router } from "./router.js";
import { banners } from "./shell/banners.js";
import { footer } from "./shell/footer.js";
import { header } from "./shell/header.js";
import { badAsOf, loading, problem } from "./ui/states.js";
import notfound from "./views/notfound.js";
import { views } from "./views/index.js";

// At most one loading in this time, however many changes come; where they keep coming, less and less
// often; and not all readers at the same moment.
const RELOAD_MS = 600;
const RELOAD_MOST_MS = 5000;
const SPREAD_MS = 150;
const ANNOUNCE_MS = 4000; // a screen reader is not talked over

const match = router(views);
const app = document.getElementById("app");
let common = null; // columns and site, once
let open = null; // the view that is open: { x, view, data, error, loading, loadedAt, … }
let announcement = "";
let held = false; // the reader wants nothing to change by itself

// ---- drawing ----

const isMissing = ({ x, view, data, error }) =>
  !view || (error?.status === 404 && data === undefined && !badAsOf(x, error));

function body({ x, view, data, error }) {
  if (isMissing(open)) return notfound.render(x);
  if (error && data === undefined) return problem(x, error, x.reload);
  if (data === undefined) return loading(x);
  return view.render(x, data);
}

function heading({ x, view, data }) {
  return isMissing(open) ? notfound.title(x) : view.title(x, data);
}

function draw() {
  const { x, loading: busy } = open;
  const title = heading(open);
  document.documentElement.lang = x.lang;
  document.title = open.x.path === "/" && open.view ? x.t("common.site") : `${title} – ${x.t("common.site")}`;
  render(
    html`
      <a class="skip" href="#main" @click=${focusMain}>${x.t("common.skip")}</a>
      ${header(x, views)}
      ${banners(x, open)}
      <main id="main" tabindex="-1" aria-busy=${busy ? "true" : "false"}>
        <h1 id="title" tabindex="-1">${title}</h1>
        ${body(open)}
      </main>
      ${footer(x, open)}
      <div class="sr-only" role="status" aria-live="polite">${announcement}</div>
    `,
    app,
  );
}

function focusMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

// ---- what a view is given ----

function makeX({ lang, path, view, params }, url, before) {
  const asOf = url.searchParams.get("as_of") || null;
  const x = {
    ...words(lang),
    path,
    params,
    query: url.searchParams,
    asOf,
    view,
    api: makeApi({ asOf, heard: live.heard }),
    live: live.state,
    columns: common?.columns ?? null,
    site: common?.site ?? null,
    state: before ?? {},
    get paused() {
      return held && !asOf && !view?.pauses;
    },
    togglePause,
    link: (to, query) => address(lang, to, query, asOf),
    here(changes) {
      const query = new URLSearchParams(url.searchParams);
      for (const [name, value] of Object.entries(changes)) {
        query.delete(name);
        for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") query.append(name, one);
      }
      return address(lang, path, query);
    },
    go: (to, query) => navigate(x.link(to, query)),
    navigate: (href, options) => navigate(href, options),
    redraw: () => open.x === x && draw(),
    reload: () => open.x === x && load(),
    retry: () => {
      live.retry();
      load();
    },
    say: announce,
  };
  return x;
}

function togglePause() {
  held = !held;
  if (held) draw();
  else load(); // what happened meanwhile
}

// ---- loading ----

async function loadCommon(api) {
  if (common) return;
  const [columns, site] = await Promise.all([api.get("columns"), api.get("site")]);
  common = { columns: makeColumns(columns), site };
}

async function load() {
  const mine = open;
  mine.abort?.abort();
  mine.abort = new AbortController();
  const { signal } = mine.abort;
  mine.x.signal = signal;
  mine.loading = true;
  draw();
  try {
    await loadCommon(mine.x.api);
    Object.assign(mine.x, common);
    const data = mine.view ? await mine.view.load(mine.x) : null;
    if (open !== mine || signal.aborted) return;
    Object.assign(mine, { data, error: null, loadedAt: new Date() });
  } catch (error) {
    if (open !== mine || signal.aborted) return;
    mine.error = error instanceof Problem ? error : new Problem({ status: -1, title: String(error?.message ?? error) });
    if (!(error instanceof Problem)) console.error(error);
  }
  mine.loading = false;
  draw();
  mine.settled?.();
  mine.settled = null;
  if (mine.again) {
    mine.again = false;
    reloadSoon();
  }
}

let reloadTimer = 0;
let pace = RELOAD_MS;
let reloadedAt = 0; // for a change: that a page was just opened holds up no change
function reloadSoon() {
  if (reloadTimer) return;
  const since = Date.now() - reloadedAt;
  pace = since > 2 * pace ? RELOAD_MS : Math.min(RELOAD_MOST_MS, 1.5 * pace);
  const wait = Math.max(Math.random() * SPREAD_MS, pace - since);
  reloadTimer = setTimeout(() => {
    reloadTimer = 0;
    if (open.loading) {
      open.again = true; // what is under way may be from before the change
      return;
    }
    reloadedAt = Date.now();
    load();
  }, wait);
}

// ---- navigation ----

// Whether an address differs from the last one only in how the same data are shown.
function onlyDisplay(view, before, after) {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].every((name) => view?.display?.includes(name) || String(before.getAll(name)) === String(after.getAll(name)));
}

function show(url, { first = false } = {}) {
  const found = match(url.pathname);
  const samePlace = open && open.view === found.view && open.x.path === found.path;
  const before = open;
  before?.abort?.abort();
  open = { view: found.view, x: makeX(found, url, samePlace ? before.x.state : null), loading: true };
  if (samePlace) {
    // what is there stays until the new is: no flicker, and the focus stays where it is
    open.data = before.data;
    open.loadedAt = before.loadedAt;
    if (open.data !== undefined && !before.loading && !before.error && onlyDisplay(found.view, before.x.query, url.searchParams)) {
      Object.assign(open, { loading: false, abort: null });
      draw();
      return;
    }
  } else if (!first) {
    scrollTo(0, 0);
    draw();
    document.getElementById("title").focus({ preventScroll: true });
    open.settled = () => announce(words(open.x.lang).t("common.announce_loaded", { title: heading(open) }));
  }
  load();
}

// replace: without a step of its own in the browser's history
function navigate(href, { replace = false } = {}) {
  const url = new URL(href, location.href);
  if (url.href !== location.href) history[replace ? "replaceState" : "pushState"](null, "", url);
  show(url);
}

// Links within the page are followed without loading it anew.
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || (url.hash && url.pathname === location.pathname)) return;
  if (!match(url.pathname).view) return;
  event.preventDefault();
  navigate(url.href);
});
addEventListener("popstate", () => show(new URL(location.href)));

// ---- live ----

let said = 0;
let unsaid = 0;
function announce(text) {
  announcement = text;
  draw();
}

function announceChanges(event) {
  unsaid += event.changes.length + (event.more ?? 0);
  if (Date.now() - said < ANNOUNCE_MS || !event.changes.length) return;
  said = Date.now();
  announce(open.x.t("common.announce_change", { n: unsaid, title: event.changes[event.changes.length - 1].title ?? "" }));
  unsaid = 0;
}

// What is said of the connection and of frozen logs is said while all else is held, too.
const gravity = ({ link, stale, frozen }) => JSON.stringify([link, stale, frozen]);
let grave = "";

const live = startLive({
  onChange(event) {
    if (!open || open.x.asOf || !open.view || open.x.paused) return;
    if (event && open.view.concerns && !open.view.concerns(event, open.x)) return;
    if (event) announceChanges(event);
    reloadSoon();
  },
  onState(state) {
    const same = gravity(state) === grave;
    grave = gravity(state);
    if (open && !(same && open.x.paused)) draw();
  },
});

show(new URL(location.href), { first: true });
