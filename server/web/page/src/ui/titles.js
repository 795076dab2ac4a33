// What people call a record.  Figures and memberships have no name, and their ids say little.
import { claimFigure } from "./figures.js";

export function statisticWhat(x, { kind, measure }) {
  return `${kind ?? x.t("entity.all_kinds")} – ${x.label("measure", measure)}`;
}

// titleOf(field): the title of what the record's reference leads to, or null
export function recordTitle(x, { kind, record, title }, titleOf = () => null) {
  if (kind === "statistic" && record?.measure) {
    const names = { what: statisticWhat(x, record), figure: claimFigure(x, record), who: record.reported_by ?? "" };
    return x.t("entity.title_statistic", names);
  }
  if (kind === "membership" && record) {
    const member = titleOf(record.entity_id ? "entity_id" : "operator_id") ?? record.entity_id ?? record.operator_id;
    const network = titleOf("network_id") ?? record.network_id;
    if (member && network) return x.t("entity.title_membership", { member, network });
  }
  return title;
}

// A new record's fields are all in its diff; `parties` as members.js found them.
export function changeTitle(x, change) {
  if (change.parties) return x.t("entity.title_membership", change.parties);
  if (!change.created) return change.title;
  const record = Object.fromEntries(change.diff.map(({ field, to }) => [field, to]));
  return recordTitle(x, { ...change, record });
}
