// Where an address leads to nothing.  It has no path: main.js shows it when no view has the address.
import { html } from "lit-html";

export default {
  path: [],
  title: (x) => x.t("notfound.title"),
  load: async () => ({}),
  render(x) {
    const { t, link } = x;
    return html`<p>${x.rich("notfound.text", { path: html`<code>${location.pathname}</code>` })}</p>
      <p>${t("notfound.records")}</p>
      <h2>${t("notfound.where")}</h2>
      <ul>
        <li><a href=${link("/")}>${t("notfound.overview")}</a></li>
        <li><a href=${link("/entities")}>${t("notfound.entities")}</a></li>
        <li><a href=${link("/changes")}>${t("notfound.changes")}</a></li>
      </ul>`;
  },
  concerns: () => false,
};
