// The public API, and nothing else, is where the page has its data from.

const ROOT = "/api/v1";
const PATIENCE_MS = 20000;
// What is only ever of now takes no as_of.
const OF_NOW = /^(status|columns|site|openapi\.json|events|logs)\b/;

// A problem (RFC 9457); status 0: no answer came at all.
export class Problem extends Error {
  constructor({ status, title, detail = null, next = null }) {
    super(title);
    Object.assign(this, { status, title, detail, next });
  }
}

async function problemOf(response) {
  const plain = { status: response.status, title: response.statusText || String(response.status) };
  try {
    const body = await response.json();
    return new Problem({ ...plain, title: body.title ?? plain.title, detail: body.detail, next: body.next });
  } catch {
    return new Problem(plain);
  }
}

// asOf: the text of ?as_of= or null; heard(ok): told whether the server answered, each time.
export function makeApi({ asOf = null, heard = () => {} } = {}) {
  const url = (path, params = {}) => {
    const query = new URLSearchParams();
    for (const [name, values] of params instanceof URLSearchParams ? [...params] : Object.entries(params))
      for (const value of [values].flat())
        if (value !== null && value !== undefined && value !== "") query.append(name, value);
    if (asOf && !OF_NOW.test(path) && !query.has("as_of")) query.append("as_of", asOf);
    const text = query.toString();
    return `${ROOT}/${path}${text ? `?${text}` : ""}`;
  };

  // address: one below /api/v1 that an answer gave, such as `next`
  const fetchJson = async (address, signal) => {
    const patience = new AbortController();
    const giveUp = () => patience.abort();
    const timer = setTimeout(giveUp, PATIENCE_MS);
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted) giveUp();
    try {
      const response = await fetch(address, { signal: patience.signal, headers: { Accept: "application/json" } });
      // 502 to 504 are a proxy's words for a server that is gone
      heard(response.status < 502 || response.status > 504);
      if (!response.ok) throw await problemOf(response);
      return await response.json();
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (signal?.aborted) throw new DOMException("aborted", "AbortError");
      heard(false);
      throw new Problem({ status: 0, title: "no answer" });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  };

  return {
    asOf,
    url, // of a file to download: url("entities.csv", { kind: "CIS" })
    get: (path, params, signal) => fetchJson(url(path, params), signal),
    follow: fetchJson,
  };
}
