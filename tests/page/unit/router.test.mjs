// Addresses of the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { address, router } from "../../../server/web/page/src/router.js";
import { makeColumns } from "../../../server/web/page/src/columns.js";

const overview = { path: "/" };
const region = { path: "/region/:region" };
const record = { path: ["/entity/:id", "/record/:id"] };
const match = router([overview, region, record]);

test("the same path leads to the same view in both languages", () => {
  assert.equal(match("/").view, overview);
  for (const path of ["/en", "/en/"]) assert.deepEqual([match(path).view, match(path).lang, match(path).path], [overview, "en", "/"]);
  assert.deepEqual(match("/region/26"), { lang: "pl", path: "/region/26", view: region, params: { region: "26" } });
  assert.equal(match("/en/region/26").lang, "en");
});

test("a view may have several paths", () => {
  assert.equal(match("/entity/pl26-kis-bilcza").view, record);
  assert.equal(match("/record/pl26-op-pestka").params.id, "pl26-op-pestka");
});

test("a path that is none leads to no view", () => {
  for (const path of ["/nowhere", "/region/", "/region/26/x", "/english", "/region/%ff"]) assert.equal(match(path).view, null, path);
});

test("parameters are decoded", () => {
  assert.equal(match("/region/%C5%82").params.region, "ł");
});

test("an address keeps language and day, and leaves out what is empty", () => {
  assert.equal(address("pl", "/"), "/");
  assert.equal(address("en", "/"), "/en/");
  assert.equal(address("pl", "/entities", { kind: "CIS", place: null, q: "" }), "/entities?kind=CIS");
  assert.equal(address("en", "/entities", { kind: ["CIS", "KIS"] }, "2026-11-01"), "/en/entities?kind=CIS&kind=KIS&as_of=2026-11-01");
  assert.equal(address("pl", "/", new URLSearchParams("as_of=7&view=map"), "2026-11-01"), "/?as_of=7&view=map");
  assert.equal(address("pl", "/entities", { q: "ł&=" }), "/entities?q=%C5%82%26%3D");
});

test("columns have labels in both languages, and an unknown one its own name", () => {
  const columns = makeColumns({ kinds: [{ name: "entity", columns: [{ name: "place", label_pl: "miejscowość", label_en: "place" }] }] });
  assert.equal(columns.label("entity", "place", "pl"), "miejscowość");
  assert.equal(columns.label("entity", "place", "en"), "place");
  assert.equal(columns.label("entity", "other", "en"), "other");
  assert.deepEqual(columns.get("network"), []);
});
