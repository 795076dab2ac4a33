// A list's address: which filters it carries, and the same question to the API. Pure.

// How an address of the page says "unknown"; no column has such a value.
export const UNKNOWN = "-";

const OWN = new Set(["q", "sort", "cursor", "limit", "list", "as_of"]);
const CONDITIONS = { "": "is", from: "from", to: "to", starts: "starts" };

// The filters of an address on columns of a kind: [{ name, field, condition, values }]; the rest of
// the address is somebody else's.
export function filtersOf(query, columns, kind) {
  const names = [...new Set(query.keys())].filter((name) => !OWN.has(name));
  return names.flatMap((name) => {
    const [field, ending = ""] = name.split(".");
    const condition = CONDITIONS[ending];
    if (!condition || !columns.find(kind, field)) return [];
    return [{ name, field, condition, values: query.getAll(name) }];
  });
}

// The address below /api/v1: unknown is the empty value there, which the page's own addresses leave out.
export function apiAddress(path, filters, params = {}, asOf = null) {
  const query = new URLSearchParams();
  for (const { name, values } of filters) for (const value of values) query.append(name, value === UNKNOWN ? "" : value);
  for (const [name, value] of Object.entries({ ...params, as_of: asOf }))
    if (value !== null && value !== undefined && value !== "") query.append(name, value);
  const text = query.toString();
  return `/api/v1/${path}${text ? `?${text}` : ""}`;
}
