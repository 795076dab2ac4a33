// The nation at one look.
import { html } from "lit-html";

export default {
  path: "/",
  nav: "nav_overview",
  title: (x) => x.t("overview.title"),
  load: (x) => x.api.get("summary", {}, x.signal),
  concerns: () => true,
  render(x, data) {
    return html`<ul>
      ${data.regions.map((region) => html`<li><a href=${x.link(`/region/${region.region}`)}>${region.name_pl}</a> ${x.number(region.entities.all)}</li>`)}
    </ul>`;
  },
};
