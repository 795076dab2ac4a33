// A stated figure with its precision: "około 9", "15–20", "70%".

export function claimFigure(x, { value, value_max: max, qualifier, unit }) {
  const number = max ? `${x.figure(value)}–${x.figure(max)}` : x.figure(value);
  const mark = { percent: "%", PLN: `\u00a0${x.label("unit", "PLN")}` }[unit] ?? "";
  const precise = !qualifier || qualifier === "exact" || qualifier === "range";
  return `${precise ? "" : `${x.label("qualifier", qualifier)} `}${number}${mark}`;
}
