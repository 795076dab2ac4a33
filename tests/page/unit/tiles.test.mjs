// Where a log's files are, as C2SP tlog-tiles says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sizeOf, tileCount, tilePaths } from "../../../server/web/page/src/tiles.js";

test("a small log is one partial bundle and one partial tile", () => {
  assert.deepEqual([...tilePaths(5)], ["tile/entries/000.p/5", "tile/0/000.p/5"]);
});

test("an empty log has no tiles", () => {
  assert.deepEqual([...tilePaths(0)], []);
  assert.equal(tileCount(0), 0);
});

test("a full tile has no width in its name, and 256 of its hashes make one above", () => {
  assert.deepEqual([...tilePaths(256)], ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
  assert.deepEqual(
    [...tilePaths(600)],
    ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88", "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"],
  );
});

test("a number over 999 is written in groups of three", () => {
  const paths = [...tilePaths(1234 * 256 + 1)];
  assert.ok(paths.includes("tile/0/x001/000"));
  assert.ok(paths.includes("tile/entries/x001/234.p/1"));
});

test("the count is that of the list", () => {
  for (const size of [1, 255, 256, 257, 65536, 65537, 300000]) assert.equal(tileCount(size), [...tilePaths(size)].length, String(size));
});

test("a checkpoint's size is its second line, and what has none is refused", () => {
  assert.equal(sizeOf("splot.example/region/26\n17\nroot\n"), 17);
  for (const text of ["", "origin", "origin\n-1\n", "origin\n1e3\n", "<html>\n<body>\n"]) assert.throws(() => sizeOf(text));
});
