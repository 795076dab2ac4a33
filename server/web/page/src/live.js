// What the page hears from the server while it is open: one stream of events, and a look at the
// status now and then, since a stream that died silently looks like a quiet one.

const LOOK_MS = 15000; // between two looks at the status
const PATIENCE_MS = 8000; // until a look has failed
const AGAIN_MS = 3000; // until a stream that was given up is opened again
const UNSEEN_MS = 60000; // a page that nobody sees gives its connection back after this

// Events say what changed but for times, which come with a look: thousands of readers that all looked
// at each event would be a load of their own.
function withNews(status, { logs = [], frozen = [], quorum = null }) {
  if (!status) return null;
  const news = new Map(logs.map((log) => [log.log, log]));
  const cosigned = status.cosigned && quorum !== null ? { ...status.cosigned, quorum } : status.cosigned;
  return { ...status, cosigned, frozen, logs: status.logs.map((log) => ({ ...log, ...news.get(log.log) })), heard: Date.now() };
}

function withCommit(status, { log, time }) {
  if (!status) return null;
  return { ...status, logs: status.logs.map((one) => (one.log === log ? { ...one, last_commit: time } : one)), heard: Date.now() };
}

// state.status: as it was last heard of, and when (`heard`)
// state.link: "connecting" | "live" | "lost"; since: when the server was last heard
// state.stale: the daemon behind the page does not refresh its data; written: when it last did
// onChange(event) for each change; onState() when anything in `state` is another
export function startLive({ onChange, onState }) {
  const state = { link: "connecting", since: null, stale: false, written: null, position: null, status: null, quorum: null, frozen: [] };
  let source = null;
  let again = 0;
  let looking = null;

  const set = (changes) => {
    const before = JSON.stringify([state.link, state.stale, state.position, state.frozen, state.quorum, state.written]);
    Object.assign(state, changes);
    const after = JSON.stringify([state.link, state.stale, state.position, state.frozen, state.quorum, state.written]);
    if (before !== after || changes.status) onState(state);
  };
  const heard = (ok) => {
    if (!ok) {
      set({ link: "lost" });
      return;
    }
    state.since = new Date();
    if (state.link !== "live") set({ link: source?.readyState === EventSource.OPEN ? "live" : "connecting" });
  };

  const read = (event) => {
    try {
      return JSON.parse(event.data);
    } catch {
      return null;
    }
  };
  const open = () => {
    clearTimeout(again);
    source?.close();
    source = new EventSource("/api/v1/events");
    source.onopen = () => {
      const returned = state.link === "lost";
      state.since = new Date();
      set({ link: "live" });
      look();
      if (returned) onChange(null); // what happened meanwhile is not known
    };
    source.onerror = () => {
      set({ link: "lost" });
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      clearTimeout(again);
      again = setTimeout(open, AGAIN_MS);
    };
    source.addEventListener("hello", (event) => {
      const data = read(event);
      heard(true);
      if (data) set({ position: data.position });
    });
    source.addEventListener("change", (event) => {
      const data = read(event);
      heard(true);
      if (!data) return;
      set({ position: data.position, status: withCommit(state.status, data) });
      onChange(data);
    });
    source.addEventListener("status", (event) => {
      const data = read(event);
      heard(true);
      if (!data) return;
      const status = withNews(state.status, data);
      set({ stale: data.stale === true, position: data.position, quorum: data.quorum, frozen: data.frozen ?? [], status });
    });
    source.addEventListener("reset", () => {
      open(); // another server's stream: begin anew
      onChange(null);
    });
  };

  async function look() {
    if (looking) return;
    looking = new AbortController();
    const timer = setTimeout(() => looking.abort(), PATIENCE_MS);
    try {
      const response = await fetch("/api/v1/status", { signal: looking.signal });
      if (response.status >= 502 && response.status <= 504) throw new Error("gone");
      heard(true);
      if (response.ok) {
        const status = { ...(await response.json()), heard: Date.now() };
        set({ status, stale: status.stale === true, written: status.written, frozen: status.frozen ?? [] });
      }
      if (source.readyState === EventSource.CLOSED && document.visibilityState === "visible") open();
    } catch {
      set({ link: "lost" });
    } finally {
      clearTimeout(timer);
      looking = null;
    }
  }

  open();
  setInterval(() => {
    if (document.visibilityState === "visible") look();
  }, LOOK_MS);
  let unseen = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(unseen);
    if (document.visibilityState === "hidden") {
      unseen = setTimeout(() => source.close(), UNSEEN_MS);
      return;
    }
    if (source.readyState === EventSource.CLOSED) {
      open();
      onChange(null); // what happened meanwhile is not known
    } else {
      look();
    }
  });
  return { state, heard, retry: open };
}
