// Small drawings beside words. They never stand for a word alone, so readers are not told of them.
import { html, svg } from "lit-html";

const SHAPES = {
  weave: svg`<path d="M6 2v7m0 6v7M18 2v7m0 6v7M12 2v3m0 6v2m0 6v3"/><path class="weft" d="M2 6h2m4 0h8m4 0h2M2 18h2m4 0h8m4 0h2M2 12h8m4 0h8"/>`,
  "live-live": svg`<circle class="fill" cx="12" cy="12" r="6"/>`,
  "live-connecting": svg`<circle cx="12" cy="12" r="6" stroke-dasharray="4 4"/>`,
  "live-lost": svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  "live-stale": svg`<path d="M12 4 3 20h18Z"/><path d="M12 10v4m0 3v.1"/>`,
  "live-paused": svg`<path d="M8 5v14M16 5v14"/>`,
  "live-past": svg`<circle cx="12" cy="12" r="8"/><path d="M12 7v5l-3 3"/>`,
  past: svg`<circle cx="12" cy="12" r="9"/><path d="M12 6v6l-4 4"/>`,
  lost: svg`<path d="m5 5 14 14M19 5 5 19"/>`,
  stale: svg`<path d="M12 3 2 21h20Z"/><path d="M12 10v5m0 3v.1"/>`,
  frozen: svg`<path d="M12 2v20M3.3 7l17.4 10M20.7 7 3.3 17"/>`,
  good: svg`<path d="m4 12 5 6L20 6"/>`,
  warn: svg`<path d="M12 3 2 21h20Z"/><path d="M12 10v5m0 3v.1"/>`,
  bad: svg`<path d="m5 5 14 14M19 5 5 19"/>`,
  wait: svg`<circle cx="12" cy="12" r="8" stroke-dasharray="5 4"/>`,
  note: svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v6m0-10v.1"/>`,
  up: svg`<path d="m6 15 6-6 6 6"/>`,
  down: svg`<path d="m6 9 6 6 6-6"/>`,
  unsorted: svg`<path d="m8 10 4-4 4 4M8 14l4 4 4-4"/>`,
};

export function icon(name) {
  return html`<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${SHAPES[name]}</svg>`;
}
