// A stated figure with its precision: "około 9", "15–20", "70%", "0 według oświadczenia".

export function claimFigure(x, { value, value_max: max, qualifier, unit }) {
  const number = max ? `${x.figure(value)}–${x.figure(max)}` : x.figure(value);
  const mark = { percent: "%", PLN: `\u00a0${x.label("unit", "PLN")}` }[unit] ?? "";
  const key = `overview.qualifier_${qualifier}`;
  return x.has(key) ? x.t(key, { what: number + mark }) : number + mark;
}

const PARTS = ["meeting_participants", "network_members", "network_members_initial"];
const isCount = ({ unit, value, value_max: max }) => unit === "count" && !max && /^\d+$/.test(value);

// What a figure is a part of, where the same reporter said for the same day how many there are; else null.
export function baseOf(claims, part) {
  if (!PARTS.includes(part.measure) || !part.kind || !part.as_of || !isCount(part)) return null;
  const base = claims.find(
    (one) =>
      one.measure === "active_count" && isCount(one) &&
      ["kind", "as_of", "reported_by"].every((field) => one[field] === part[field]),
  );
  return base && Number(base.value) >= Number(part.value) && Number(base.value) > 0 ? Number(base.value) : null;
}
