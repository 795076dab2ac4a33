// What every story shares: the nation, one Chromium, and pages that notice what they must not do.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(process.env.SPLOT_PAGE_MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const CHROMIUM = process.env.SPLOT_CHROMIUM || "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 30000; // of a machine that does other things as well

const ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const COLOUR_RULES = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

export const LANGUAGES = ["pl", "en"];
export const WIDTHS = [320, 768, 1280];
export const SCHEMES = ["light", "dark"];

/** Every page by a name for its screenshot; `needs` names an address of the sample register. */
export const PAGES = {
  overview: "/",
  region: "/region/26",
  entities: "/entities",
  entity: "/entity/pl26-kis-kielce-pestka",
  record: "/record/pl26-op-pestka",
  networks: "/networks",
  network: "/network/pl22-net-konwent",
  changes: "/changes",
  quality: "/quality",
  trust: "/trust",
  accessibility: "/accessibility",
  notfound: "/region/99",
};

export const address = (language, path) => (language === "pl" ? path : "/en" + (path === "/" ? "/" : path));

/** The nation as a child that does what it is asked, one line of JSON after the other. */
class Nation {
  async start() {
    const python = process.env.SPLOT_PYTHON || "/usr/bin/python3";
    this.child = spawn(python, ["-B", join(here, "nation.py")], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    Object.assign(this, await this.next());
  }

  async next() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error("the nation ended");
    const said = JSON.parse(value);
    if (said.failed) throw new Error(said.failed);
    return said;
  }

  // One question after the other: answers come in order.
  ask(question) {
    const asked = (this.turn || Promise.resolve()).then(() => {
      this.child.stdin.write(JSON.stringify(question) + "\n");
      return this.next();
    });
    this.turn = asked.catch(() => {});
    return asked;
  }

  async ctl(at, ...args) {
    const said = await this.ask({ do: "ctl", at, arguments: args });
    if (said.status !== 0) throw new Error(`splotctl ${args.join(" ")}: ${said.status}\n${said.out}${said.error}`);
    return said.out;
  }

  begin(what) { return this.ask({ do: "start", what }); }
  stop(what) { return this.ask({ do: "stop", what }); }
  kill(what) { return this.ask({ do: "kill", what }); }
  settle() { return this.ask({ do: "settle" }); }

  async end() {
    this.child.stdin.end();
    await this.ended;
  }
}

export class Rig {
  idle = [];

  async start() {
    this.nation = new Nation();
    this.shots = process.env.SPLOT_SCREENSHOTS || "/tmp/page-screenshots";
    mkdirSync(this.shots, { recursive: true });
    const [browser] = await Promise.all([
      chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS, timeout: 60000 }),
      this.nation.start(),
    ]);
    this.browser = browser;
    this.url = this.nation.url;
    this.own = this.nation.own;
  }

  async end() {
    await this.browser?.close();
    await this.nation?.end();
  }

  /** A page in a context of its own; `faults` gathers what no page may do. */
  async open(path, { width = 1280, height = 900, scheme = "light", base = this.url, ...more } = {}) {
    const context = await this.browser.newContext({
      baseURL: base, viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce", locale: "pl-PL",
      timezoneId: "Europe/Warsaw", acceptDownloads: true, ...more,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.faults = [];
    await watch(page, base);
    if (path) await this.go(page, path);
    return page;
  }

  async go(page, path) {
    await page.goto(path, { waitUntil: "domcontentloaded" });
    await ready(page);
    return page;
  }

  /** A page that one test after the other uses: cheaper than a new one each. */
  async lend(use) {
    const page = this.idle.pop() ?? (await this.open());
    page.faults.length = 0;
    await use(page);
    this.idle.push(page); // after a failure it is not used again
  }

  /** Runs axe over the page as it stands: rules broken, each with where.  Of a document that was looked at
   * already in other colours, only the rules that look at colours. */
  async axe(page, { colours = false } = {}) {
    if (!await page.evaluate(() => "axe" in window)) await page.evaluate(axe);
    return page.evaluate(async (only) => {
      const found = await window.axe.run(document, { runOnly: only, resultTypes: ["violations"], preload: false });
      return found.violations.map((v) => `${v.id} (${v.impact}): ${v.help}\n` +
        v.nodes.slice(0, 5).map((node) => `    ${node.target.join(" ")}\n      ${node.failureSummary.replaceAll("\n", "\n      ")}`).join("\n"));
    }, colours ? COLOUR_RULES : ALL_RULES);
  }

  shot(page, name, full = true) {
    return page.screenshot({ path: join(this.shots, name + ".png"), fullPage: full, animations: "disabled" });
  }
}

async function watch(page, base) {
  const { origin } = new URL(base);
  page.on("console", (message) => {
    if (message.type() === "error") page.faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => page.faults.push(`script: ${error.stack || error}`));
  page.context().on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !["data:", "blob:"].includes(url.protocol)) page.faults.push(`foreign: ${url}`);
  });
  await page.exposeBinding("noteViolation", (_, text) => { page.faults.push(text); });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) =>
      window.noteViolation(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
  });
}

/** The view is there and has nothing under way. */
export function ready(page) {
  return page.waitForFunction(() => {
    const main = document.querySelector("main");
    return main && main.querySelector("h1") && main.getAttribute("aria-busy") !== "true" &&
      !main.querySelector('[aria-busy="true"]');
  });
}

/** What of the page is wider than the window: empty when nothing makes it scroll sideways. */
export function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1)
      .slice(0, 8).map((e) => `${e.tagName.toLowerCase()}.${e.className} ${Math.round(e.getBoundingClientRect().right)} > ${width}`);
  });
}

/** Presses Tab until `selector` has the focus; says how often, or throws. */
export async function tabTo(page, selector, most = 200) {
  for (let i = 1; i <= most; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => !!document.activeElement?.matches(s), selector)) return i;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}
