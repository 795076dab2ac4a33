// Addresses of the page: which view and language one leads to, and how one is written. Pure.

function compile(path) {
  const names = [];
  const pattern = path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:(\w+)/g, (_, name) => {
    names.push(name);
    return "([^/]+)";
  });
  return { names, pattern: new RegExp(`^${pattern}/?$`) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // not UTF-8: no page
  }
}

export function router(views) {
  const routes = views.flatMap((view) => [view.path].flat().map((path) => ({ view, ...compile(path) })));
  // → { lang, path, view, params }; view is null where there is no such page
  return (pathname) => {
    const english = pathname === "/en" || pathname.startsWith("/en/");
    const lang = english ? "en" : "pl";
    const path = (english ? pathname.slice(3) : pathname) || "/";
    for (const { view, names, pattern } of routes) {
      const match = pattern.exec(path);
      if (!match) continue;
      const values = match.slice(1).map(decode);
      if (values.includes(null)) break;
      return { lang, path, view, params: Object.fromEntries(names.map((name, i) => [name, values[i]])) };
    }
    return { lang, path, view: null, params: {} };
  };
}

// address("en", "/entities", { kind: "CIS", place: null }, "2026-11-01"): empty values are left out;
// an array gives the parameter as often as it has values.
export function address(lang, path, query = {}, asOf = null) {
  const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const params = new URLSearchParams();
  for (const [name, values] of entries)
    for (const value of [values].flat())
      if (value !== null && value !== undefined && value !== "") params.append(name, value);
  if (asOf && !params.has("as_of")) params.append("as_of", asOf);
  const text = params.toString();
  const prefix = lang === "en" ? "/en" : "";
  const place = path === "/" && prefix ? `${prefix}/` : prefix + path;
  return text ? `${place}?${text}` : place;
}
