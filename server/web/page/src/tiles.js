// Where the files of a log of a given size are (C2SP tlog-tiles). Pure.

const WIDTH = 256; // hashes, or entries, of a full tile

// 1234 → "x001/234"
function numbered(n) {
  const groups = [String(n % 1000).padStart(3, "0")];
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return groups.join("/");
}

function* row(level, count) {
  const full = Math.floor(count / WIDTH);
  for (let n = 0; n < full; n++) yield `tile/${level}/${numbered(n)}`;
  if (count % WIDTH) yield `tile/${level}/${numbered(full)}.p/${count % WIDTH}`;
}

// How many files: known before they are listed.
export function tileCount(size) {
  let total = Math.ceil(size / WIDTH);
  for (let count = size; count > 0; count = Math.floor(count / WIDTH)) total += Math.ceil(count / WIDTH);
  return total;
}

export function* tilePaths(size) {
  yield* row("entries", size);
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / WIDTH)) yield* row(level, count);
}

// The size that a checkpoint's text states.
export function sizeOf(checkpoint) {
  const line = checkpoint.split("\n")[1] ?? "";
  if (!/^\d{1,15}$/.test(line)) throw new Error("not a checkpoint");
  return Number(line);
}
