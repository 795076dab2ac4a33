// What the register's columns are called, from /columns. Pure.

// get("entity") → its columns in order; label("entity", "name", "pl") → "nazwa"
export function makeColumns(answer) {
  const kinds = new Map(answer.kinds.map((kind) => [kind.name, kind]));
  const get = (kind) => kinds.get(kind)?.columns ?? [];
  const find = (kind, field) => get(kind).find(({ name }) => name === field) ?? null;
  return {
    kinds: answer.kinds,
    get,
    find,
    label: (kind, field, lang) => find(kind, field)?.[lang === "en" ? "label_en" : "label_pl"] ?? field,
  };
}
