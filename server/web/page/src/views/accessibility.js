// The statement that the act of 4 April 2019 asks of public bodies, with the ids that the ministry's
// conditions (version 2.0) name.  What only an administrator knows comes from the section [site].
import { html, nothing } from "lit-html";

const PARAGRAPHS_MAX = 9; // KEY, KEY-2 ... KEY-9

// The texts of [site] in one language, the Polish one where there is no other.
function texts(x) {
  const all = x.site?.texts ?? {};
  const one = (key) => (x.lang === "pl" ? null : all[`${key}-${x.lang}`]) || all[key] || null;
  const many = (key) => {
    const found = [one(key)];
    for (let i = 2; i <= PARAGRAPHS_MAX; i++) found.push(one(`${key}-${i}`));
    return found.filter(Boolean);
  };
  return { one, many };
}

const blank = (x, key, id) => html`<mark class="blank" id=${id ?? nothing}>${x.t("accessibility.blank", { key })}</mark>`;

const day = (x, at, key, id) => {
  const value = at.one(key);
  return value ? html`<time id=${id} datetime=${value}>${x.date(value)}</time>` : blank(x, key, id);
};

const said = (x, at, key, id) => {
  const value = at.one(key);
  return value ? html`<span id=${id ?? nothing}>${value}</span>` : blank(x, key, id);
};

const link = (x, at, key, scheme, id) => {
  const value = at.one(key);
  if (!value) return blank(x, key, id);
  const bare = scheme === "tel:" ? value.replace(/[^+\d]/g, "") : value;
  return html`<a id=${id ?? nothing} href=${scheme + bare}>${value}</a>`;
};

const paragraphs = (x, at, key) => {
  const found = at.many(key);
  return found.length ? found.map((text) => html`<p>${text}</p>`) : html`<p>${blank(x, key)}</p>`;
};

function intro(x, at) {
  const { t } = x;
  const url = at.one("url") ?? `${location.origin}/`;
  return html`<section id="a11y-wstep">
      <p>
        <strong>${said(x, at, "body", "a11y-podmiot")}</strong> ${t("accessibility.commits")}
        <span id="a11y-zakres">${t("accessibility.scope")}</span> ${t("accessibility.act")}
      </p>
      <p>${t("accessibility.about")} <a id="a11y-url" href=${url}>${t("common.site")}</a> (${url}).</p>
    </section>
    <ul>
      <li>${t("accessibility.site_published")}: ${day(x, at, "site-published", "a11y-data-publikacja")}</li>
      <li>${t("accessibility.site_updated")}: ${day(x, at, "site-updated", "a11y-data-aktualizacja")}</li>
    </ul>`;
}

function state(x, at) {
  const { t } = x;
  const level = at.one("conformity");
  const known = ["full", "partial", "none"].includes(level);
  const reasons = [
    ["annex", "not-accessible"],
    ["burden", "not-accessible-burden"],
    ["exempt", "not-accessible-exempt"],
  ].filter(([, key]) => at.many(key).length || (key === "not-accessible" && level !== "full"));
  return html`<h2>${t("accessibility.state")}</h2>
    <p id="a11y-status">
      ${t("accessibility.state_before")}
      <strong>${known ? t(`accessibility.state.${level}`) : blank(x, "conformity")}</strong>
      ${t("accessibility.state_after")}
    </p>
    ${reasons.length
      ? html`<h2>${t("accessibility.not")}</h2>
          ${reasons.map(
            ([name, key]) =>
              html`<h3>${t(`accessibility.not.${name}`)}</h3>
                <ul>
                  ${at.many(key).length ? at.many(key).map((text) => html`<li>${text}</li>`) : html`<li>${blank(x, key)}</li>`}
                </ul>`,
          )}`
      : nothing}`;
}

function basis(x, at) {
  const { t } = x;
  const kind = at.one("statement-basis");
  if (kind === "self") return html`<p>${t("accessibility.made.self")}</p>`;
  if (kind === "audit") return html`<p>${t("accessibility.made.audit")} ${said(x, at, "statement-auditor", "a11y-audytor")}.</p>`;
  return html`<p>${t("accessibility.made.basis")} ${blank(x, "statement-basis")}</p>`;
}

function made(x, at) {
  const { t } = x;
  const report = at.one("statement-report");
  return html`<h2>${t("accessibility.made")}</h2>
    <ul>
      <li>${t("accessibility.made.at")}: ${day(x, at, "statement-made", "a11y-data-sporzadzenie")}</li>
      <li>${t("accessibility.made.reviewed")}: ${day(x, at, "statement-reviewed", "a11y-data-przeglad")}</li>
    </ul>
    ${basis(x, at)}
    ${report ? html`<p><a href=${report}>${t("accessibility.made.report")}</a></p>` : nothing}`;
}

function eases({ t }) {
  return html`<h2>${t("accessibility.eases")}</h2>
    <ul>
      ${["map", "zoom", "scheme", "live", "data"].map((name) => html`<li>${t(`accessibility.eases.${name}`)}</li>`)}
    </ul>
    <h2>${t("accessibility.keys")}</h2>
    <p>${t("accessibility.keys.text")}</p>`;
}

function contact(x, at) {
  const { t } = x;
  return html`<h2>${t("accessibility.contact")}</h2>
    <p>${t("accessibility.contact.to")}</p>
    <ul>
      <li>${said(x, at, "contact-unit", "a11y-kontakt")}</li>
      <li>${t("accessibility.contact.email")} ${link(x, at, "contact-email", "mailto:", "a11y-email")}</li>
      <li>${t("accessibility.contact.phone")} ${link(x, at, "contact-phone", "tel:", "a11y-telefon")}</li>
    </ul>
    <p>${t("accessibility.contact.right")}</p>
    <ul>
      ${["who", "where", "what"].map((name) => html`<li>${t(`accessibility.contact.need.${name}`)}</li>`)}
    </ul>
    <p>${t("accessibility.contact.when")}</p>
    <section id="a11y-procedura" aria-labelledby="a11y-procedura-h">
      <h3 id="a11y-procedura-h">${t("accessibility.procedure")}</h3>
      <p>${t("accessibility.procedure.when")}</p>
      <ul>
        <li>${said(x, at, "body")}</li>
        <li>${t("accessibility.procedure.address")} ${said(x, at, "body-address")}</li>
        <li>${t("accessibility.contact.email")} ${link(x, at, "body-email", "mailto:")}</li>
      </ul>
      <p>
        ${t("accessibility.procedure.ombudsman")}
        <a href="https://bip.brpo.gov.pl/">${t("accessibility.procedure.ombudsman_link")}</a>.
      </p>
    </section>`;
}

function other(x, at) {
  const { t } = x;
  const part = (name, id, content) =>
    html`<section id=${id} aria-labelledby="${id}-h">
      <h3 id="${id}-h">${t(`accessibility.${name}`)}</h3>
      ${content}
    </section>`;
  return html`<h2>${t("accessibility.other")}</h2>
    ${part("architecture", "a11y-architektura", paragraphs(x, at, "architecture"))}
    ${part("communication", "a11y-komunikacja", paragraphs(x, at, "communication"))}
    ${part("apps", "a11y-aplikacje", html`<p>${t("accessibility.apps.text")}</p>`)}`;
}

const NEEDED = [
  "body", "body-address", "body-email", "site-published", "site-updated", "conformity", "statement-made",
  "statement-reviewed", "statement-basis", "contact-unit", "contact-email", "contact-phone", "architecture",
  "communication",
];

export default {
  path: "/accessibility",
  title: (x) => x.t("accessibility.title"),
  load: async () => ({}),
  render(x) {
    const at = texts(x);
    const complete = NEEDED.every((key) => at.one(key));
    return html`<article class="statement">
      ${complete ? nothing : html`<p class="statement-note">${x.t("accessibility.blanks")}</p>`}
      ${intro(x, at)} ${state(x, at)} ${made(x, at)} ${eases(x)} ${contact(x, at)} ${other(x, at)}
    </article>`;
  },
  concerns: () => false,
};
