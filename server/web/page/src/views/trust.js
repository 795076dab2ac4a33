// Why the register can be believed, and how not to have to: logs, witnesses, verification.
import { html, nothing } from "lit-html";
import { badge, logBadge, unknown } from "../ui/badge.js";
import { empty } from "../ui/states.js";
import { table } from "../ui/table.js";
import { ago, moment } from "../ui/time.js";
import { sizeOf, tileCount, tilePaths } from "../tiles.js";

const FILES_MAX = 20000; // addresses in a list that a browser makes
const LOGS = "/api/v1/logs";

const folderOf = (log) => log.replaceAll("/", "-");
const logName = (x, log) => {
  const [code, again] = log.split("/");
  return `${x.label("region", code)}${again ? ` (${again})` : ""}`;
};

// "group regions 9 02 04 …" and "quorum regions": how many of how many
function quorumOf(policy) {
  const lines = (policy ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  const name = lines.find(([word]) => word === "quorum")?.[1];
  const group = lines.find(([word, its]) => word === "group" && its === name);
  if (!group) return null;
  const n = group.length - 3;
  const k = { all: n, any: 1 }[group[2]] ?? Number(group[2]);
  return Number.isInteger(k) ? { k, n } : null;
}

// ---- at one look ----

function verifiedAt(verified) {
  return verified?.at ?? (verified?.at_ms ? new Date(verified.at_ms).toISOString() : null);
}

function verdict(x, verified) {
  if (!verified) return badge("note", x.t("trust.sum.verified_never"));
  const when = x.time(verifiedAt(verified));
  const n = verified.damaged ?? 0;
  return n ? badge("bad", x.t("trust.sum.verified_bad", { when, n })) : badge("good", x.t("trust.sum.verified_good", { when }));
}

function glance(x, status) {
  const { t } = x;
  const all = status.logs.length;
  const live = status.logs.filter((log) => log.state === "live" && !log.lag).length;
  const server = status.role === "server";
  const quorum = status.cosigned ? (status.cosigned.quorum ? badge("good", t("trust.sum.quorum_yes")) : badge("warn", t("trust.sum.quorum_no"))) : badge("note", t("trust.sum.quorum_unknown"));
  const rows = [
    ...(server
      ? [
          [t("trust.sum.logs"), live === all ? badge("good", t("trust.sum.logs_all", { n: all })) : badge("wait", t("trust.sum.logs_some", { live, all }))],
          [t("trust.sum.quorum"), quorum],
        ]
      : []),
    [
      t("trust.sum.frozen"),
      status.frozen.length ? badge("bad", status.frozen.map((log) => logName(x, log)).join(", ")) : badge("good", t("trust.sum.frozen_none")),
    ],
    [t("trust.sum.verified"), verdict(x, status.verified)],
  ];
  return html`<dl class="glance">${rows.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
}

// ---- logs ----

function files(x, log) {
  if (!x.site?.export) return nothing;
  const base = `${LOGS}/${folderOf(log)}`;
  return html`<a href="${base}/checkpoint" aria-label=${x.t("trust.logs.checkpoint_of", { log })}>${x.t("trust.logs.checkpoint")}</a>
    <a href="${base}/log.vkey" aria-label=${x.t("trust.logs.key_of", { log })}>${x.t("trust.logs.key")}</a>`;
}

const root = (text) => html`<code class="hash" title=${text}>${text.slice(0, 10)}…</code>`;

function logs(x, status) {
  const { t } = x;
  if (!status.logs.length) return empty(x, t("trust.logs.none"));
  const columns = [
    {
      key: "log", label: t("trust.logs.log"), header: true,
      cell: (row) => html`<a href=${x.link(`/region/${row.log.split("/")[0]}`)}>${logName(x, row.log)}</a> <small>${row.log}</small>`,
    },
    {
      key: "state", label: t("trust.logs.state"),
      cell: (row) => html`${logBadge(x, { ...row, frozen: row.frozen || status.frozen.includes(row.log) })}${row.note ? html`<br /><small lang="en">${row.note}</small>` : nothing}`,
    },
    { key: "size", label: t("trust.logs.size"), number: true, cell: (row) => x.number(row.size) },
    { key: "lag", label: t("trust.logs.lag"), number: true, cell: (row) => x.number(row.lag) },
    { key: "contact", label: t("trust.logs.contact"), class: "when", cell: (row) => ago(x, row.last_contact) },
    { key: "commit", label: t("trust.logs.commit"), class: "when", cell: (row) => moment(x, row.last_commit) },
    { key: "root", label: t("trust.logs.root"), cell: (row) => (row.checkpoint ? root(row.checkpoint.root) : unknown(x)) },
    ...(x.site?.export
      ? [{ key: "files", label: t("trust.logs.files"), cell: (row) => html`<span class="files">${row.size ? files(x, row.log) : nothing}</span>` }]
      : []),
  ];
  return html`<p>${t("trust.logs.text")}</p>
    ${table(x, { caption: t("trust.logs.caption"), columns, rows: status.logs, rowKey: (row) => row.log })}`;
}

function servers(x, status) {
  const { t } = x;
  const columns = [
    { key: "name", label: t("trust.servers.name"), header: true, cell: (row) => row.name },
    { key: "state", label: t("trust.logs.state"), cell: (row) => logBadge(x, row) },
    { key: "confirmed", label: t("trust.servers.confirmed"), number: true, cell: (row) => x.number(row.confirmed) },
    { key: "lag", label: t("trust.logs.lag"), number: true, cell: (row) => x.number(row.lag) },
    { key: "contact", label: t("trust.logs.contact"), class: "when", cell: (row) => ago(x, row.last_contact) },
    { key: "commit", label: t("trust.logs.commit"), class: "when", cell: (row) => moment(x, row.last_commit, { seconds: true }) },
  ];
  return html`<p>${t("trust.logs.own")}</p>
    ${table(x, { caption: t("trust.servers.caption"), columns, rows: status.servers, rowKey: (row) => row.name })}`;
}

// ---- the national log and its witnesses ----

const facts = (rows) => html`<dl class="trust-facts">${rows.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;

function national(x, status) {
  const { t } = x;
  const { cosigned } = status;
  return html`<p>${t("trust.national.text")}</p>
    ${facts([
      [t("trust.national.size"), x.number(status.size)],
      [t("trust.national.shown"), x.number(status.position)],
      ...(cosigned
        ? [
            [t("trust.national.cosigned"), x.number(cosigned.size)],
            [t("trust.national.origin"), html`<code>${cosigned.origin}</code>`],
            [t("trust.national.root"), html`<code>${cosigned.root}</code>`],
          ]
        : []),
      [t("trust.national.key"), status.key ? html`<code>${status.key}</code>` : unknown(x)],
    ])}
    ${cosigned ? nothing : html`<p>${t("trust.national.none")}</p>`}
    ${status.key ? html`<p class="muted">${t("trust.national.key_hint")}</p>` : nothing}
    ${x.site?.export ? html`<p>${files(x, "national")}</p>` : nothing}`;
}

// A cosignature's name is that of a key, REALM/witness/26, or the log's.
const cosignedBy = (cosigned, log) => !!cosigned?.witnesses.some((name) => name === log || name.endsWith(`/${log}`));

function witnesses(x, status) {
  const { t } = x;
  const { cosigned } = status;
  const quorum = quorumOf(status.policy);
  const columns = [
    { key: "log", label: t("trust.witnesses.witness"), header: true, cell: (row) => html`${logName(x, row.log)} <small>${row.log}</small>` },
    {
      key: "newest", label: t("trust.witnesses.newest"),
      cell: (row) => (cosignedBy(cosigned, row.log) ? badge("good", t("trust.witnesses.yes")) : badge("wait", t("trust.witnesses.no"))),
    },
    { key: "size", label: t("trust.witnesses.size"), number: true, cell: (row) => x.number(row.size) },
    { key: "behind", label: t("trust.witnesses.behind"), number: true, cell: (row) => x.number(row.behind) },
    { key: "at", label: t("trust.witnesses.at"), class: "when", cell: (row) => moment(x, row.at, { seconds: true }) },
  ];
  const stands = cosigned?.quorum ? "trust.witnesses.quorum_stands" : "trust.witnesses.quorum_fails";
  return html`<p>${t("trust.witnesses.text")}</p>
    <p>
      <strong>
        ${quorum ? t("trust.witnesses.quorum_of", quorum) : nothing}
        ${cosigned ? t(stands, { n: cosigned.witnesses.length }) : t("trust.national.none")}
      </strong>
    </p>
    ${status.witnesses.length
      ? table(x, { caption: t("trust.witnesses.caption"), columns, rows: status.witnesses, rowKey: (row) => row.log })
      : empty(x, t("trust.witnesses.none"))}
    ${status.policy
      ? html`<details class="fold"><summary>${t("trust.witnesses.policy")}</summary>${code(x, t("trust.witnesses.policy"), status.policy, false)}</details>`
      : nothing}`;
}

// ---- verification, freezing, refusals, times ----

function verified(x, status) {
  const { t } = x;
  const report = status.verified;
  if (!report) return html`<p>${t("trust.verified.text")}</p><p>${t("trust.verified.none")}</p>`;
  const n = report.damaged ?? 0;
  return html`<p>${t("trust.verified.text")}</p>
    ${facts([
      [t("trust.verified.at"), moment(x, verifiedAt(report), { seconds: true })],
      [t("trust.verified.result"), n ? badge("bad", t("trust.verified.bad", { n })) : badge("good", t("trust.verified.good"))],
      [t("trust.verified.leaves"), x.number(report.leaves)],
      [t("trust.verified.checkpoints"), x.number(report.checkpoints)],
      ...(report.view ? [[t("trust.verified.view"), x.number(report.view.position)]] : []),
      ...(report.cosigned ? [[t("trust.verified.cosigned"), x.number(report.cosigned.witnesses)]] : []),
    ])}`;
}

function frozen(x, status) {
  const { t } = x;
  const list = status.frozen.length
    ? html`<p><strong>${t("trust.frozen.list")}</strong></p><ul>${status.frozen.map((log) => html`<li>${badge("bad", `${logName(x, log)} (${log})`)}</li>`)}</ul>`
    : html`<p>${badge("good", t("trust.frozen.none"))}</p>`;
  return html`${list}<p>${t("trust.frozen.text")}</p>`;
}

function refusals(x, status) {
  const { t } = x;
  const rows = status.refusals.filter((row) => row.count);
  if (!rows.length) return html`<p>${t("trust.refusals.none")}</p>`;
  const columns = [
    {
      key: "code", label: t("trust.refusals.reason"), header: true,
      cell: (row) => html`${x.has(`trust.code.${row.code}`) ? t(`trust.code.${row.code}`) : row.code} <small><code>${row.code}</code></small>`,
    },
    { key: "log", label: t("trust.refusals.log"), cell: (row) => (row.log ? logName(x, row.log) : t("trust.refusals.unknown_log")) },
    { key: "count", label: t("trust.refusals.count"), number: true, cell: (row) => x.number(row.count) },
  ];
  return html`<p>${t("trust.refusals.text")}</p>${table(x, { caption: t("trust.refusals.caption"), columns, rows })}`;
}

// The bound of the bucket that holds this share of all; null: more than the last bound.
function within({ buckets, count }, share) {
  return buckets.find((bucket) => bucket.count >= share * count)?.le ?? null;
}

function span(x, seconds) {
  if (seconds >= 1) return `${x.figure(String(Number(seconds.toPrecision(3))))} s`;
  if (seconds >= 0.001) return `${x.figure(String(Number((seconds * 1e3).toPrecision(3))))} ms`;
  return `${x.figure(String(Number((seconds * 1e6).toPrecision(3))))} µs`;
}

function bound(x, histogram, share) {
  const le = within(histogram, share);
  const last = histogram.buckets[histogram.buckets.length - 1]?.le;
  if (le !== null) return span(x, le);
  return last === undefined ? unknown(x) : x.t("trust.latencies.over", { value: span(x, last) });
}

function latencies(x, status) {
  const { t } = x;
  const rows = status.latencies.filter((row) => row.count);
  if (!rows.length) return html`<p>${t("trust.latencies.none")}</p>`;
  const columns = [
    { key: "name", label: t("trust.latencies.name"), header: true, cell: (row) => (x.has(`trust.latency.${row.name}`) ? t(`trust.latency.${row.name}`) : html`<code>${row.name}</code>`) },
    { key: "count", label: t("trust.latencies.count"), number: true, cell: (row) => x.number(row.count) },
    { key: "mean", label: t("trust.latencies.mean"), number: true, cell: (row) => span(x, row.sum / row.count) },
    { key: "p50", label: t("trust.latencies.p50"), number: true, cell: (row) => bound(x, row, 0.5) },
    { key: "p99", label: t("trust.latencies.p99"), number: true, cell: (row) => bound(x, row, 0.99) },
  ];
  return html`<p>${t("trust.latencies.text")}</p>${table(x, { caption: t("trust.latencies.caption"), columns, rows })}`;
}

// ---- verify it yourself ----

function code(x, what, text, copy = true) {
  const put = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text);
    button.textContent = x.t("trust.copied");
    x.say(x.t("trust.copied"));
  };
  return html`<div class="command">
    <pre tabindex="0" role="region" aria-label=${x.t("trust.command", { what })}><code>${text}</code></pre>
    ${copy && navigator.clipboard ? html`<button type="button" class="no-print" @click=${put}>${x.t("trust.copy")}</button>` : nothing}
  </div>`;
}

function proofCommands(log, key) {
  const base = location.origin + LOGS;
  const folder = folderOf(log);
  return `curl -o ${folder}-0.tlog-proof '${base}/${folder}/proof/0'
curl -o ${folder}-0.national.tlog-proof '${base}/${folder}/proof/0?national=1'
curl -o ${folder}.vkey ${base}/${folder}/log.vkey
curl -o policy ${base}/policy
splotctl audit check ${folder}-0.tlog-proof ${folder}-0.national.tlog-proof \\
  --keys ${folder}.vkey --key '${key}' --policy policy`;
}

async function fetchText(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.text();
}

// The addresses of every file, by the sizes that the checkpoints state now; `redacted` is there only where
// something was erased.
async function listFiles(status) {
  const folders = ["national", ...status.logs.filter((log) => log.size).map((log) => folderOf(log.log))];
  const sizes = await Promise.all(folders.map(async (folder) => sizeOf(await fetchText(`${LOGS}/${folder}/checkpoint`))));
  if (sizes.reduce((sum, size) => sum + tileCount(size), 0) > FILES_MAX) return null;
  const paths = ["witnesses.vkeys", "policy"];
  folders.forEach((folder, i) => {
    for (const name of ["checkpoint", "log.vkey", "redacted", ...tilePaths(sizes[i])]) paths.push(`${folder}/${name}`);
  });
  return paths.map((path) => `${location.origin}${LOGS}/${path}`);
}

async function prepare(x, status) {
  const { state } = x;
  state.preparing = true;
  x.redraw();
  try {
    const list = await listFiles(status);
    if (state.listUrl) URL.revokeObjectURL(state.listUrl);
    state.count = list?.length ?? 0;
    state.listUrl = list && URL.createObjectURL(new Blob([`${list.join("\n")}\n`], { type: "text/plain" }));
    state.failed = null;
  } catch (error) {
    state.failed = error.message;
  }
  state.preparing = false;
  x.redraw();
}

function everything(x, status) {
  const { t, state } = x;
  const key = status.key ?? "KEY";
  const commands = `wget -q -x -nH --cut-dirs=3 -P splot-logs -i splot-logs.txt
splotctl audit verify splot-logs --key '${key}'`;
  return html`<h3>${t("trust.yourself.all")}</h3>
    <p>${t("trust.yourself.all_intro")}</p>
    <p>
      <button type="button" id="prepare" ?disabled=${state.preparing} @click=${() => prepare(x, status)}>
        ${t(state.preparing ? "trust.yourself.preparing" : "trust.yourself.prepare")}
      </button>
    </p>
    ${state.failed ? html`<p role="alert">${t("trust.yourself.prepare_failed", { detail: state.failed })}</p>` : nothing}
    ${state.count === 0 ? html`<p role="status">${t("trust.yourself.too_many")}</p>` : nothing}
    ${state.listUrl
      ? html`<p role="status"><a id="splot-logs" href=${state.listUrl} download="splot-logs.txt">${t("trust.yourself.list")}</a></p>
          <p>${t("trust.yourself.all_text", { n: state.count })}</p>`
      : nothing}
    ${code(x, t("trust.yourself.all"), commands)}`;
}

function addresses(x) {
  const link = (path) => html`<a href="${LOGS}/${path}">${LOGS}/${path}</a>`;
  return html`<h3>${x.t("trust.yourself.addresses")}</h3>
    <p>
      ${x.rich("trust.yourself.files", { national: link("national/checkpoint"), witnesses: link("witnesses.vkeys"), policy: link("policy") })}
    </p>`;
}

function yourself(x, status) {
  const { t } = x;
  if (!x.site?.export) return html`<p>${t("trust.yourself.unset")}</p>`;
  const log = status.logs.find(({ log, size }) => log === "26" && size)?.log ?? status.logs.find(({ size }) => size)?.log;
  return html`<p>${t("trust.yourself.text")}</p>
    ${status.key
      ? html`<p>${t("trust.yourself.need")}</p>${code(x, t("trust.national.key"), status.key)}`
      : html`<p>${t("trust.yourself.no_key")}</p>`}
    ${log
      ? html`<h3>${t("trust.yourself.one")}</h3>
          <p>${t("trust.yourself.one_text", { log })}</p>
          ${code(x, t("trust.yourself.one"), proofCommands(log, status.key ?? "KEY"))}`
      : nothing}
    ${everything(x, status)} ${addresses(x)}
    <p>${t("trust.yourself.keep")}</p>`;
}

const AT_SERVER = { logs, national, witnesses, verified, frozen, refusals, latencies, yourself };
const AT_NODE = { servers, verified, frozen, latencies, yourself };

export default {
  path: "/trust",
  nav: "nav_trust",
  title: (x) => x.t("trust.title"),
  load: async (x) => ({ ...(await x.api.get("status", {}, x.signal)), heard: Date.now() }),
  concerns: () => true,
  render(x, data) {
    const { t } = x;
    const status = x.live.status?.heard > data.heard && !x.paused ? x.live.status : data;
    const parts = status.role === "node" ? AT_NODE : AT_SERVER;
    return html`<p class="lede">${t("trust.lead")}</p>
      ${glance(x, status)}
      <nav class="contents" aria-label=${t("trust.contents")}>
        <ul>
          ${Object.keys(parts).map((name) => html`<li><a href="#${name}">${t(`trust.${name}`)}</a></li>`)}
        </ul>
      </nav>
      ${Object.entries(parts).map(
        ([name, part]) => html`<section class="part" aria-labelledby=${name}>
          <h2 id=${name} tabindex="-1">${t(`trust.${name}`)}</h2>
          ${part(x, status)}
        </section>`,
      )}`;
  },
};
