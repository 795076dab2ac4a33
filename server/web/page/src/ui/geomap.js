// The regions on the map of Poland: each outline is a link with its name and figure in words.
import { html, svg } from "lit-html";
import map from "splot:poland";

function shape(row, hrefOf) {
  const { region, name, reading } = row;
  const { d } = map.regions[region.region];
  const text = reading.detail ? `${name}: ${reading.main}, ${reading.detail}` : `${name}: ${reading.main}`;
  return svg`<a class="map-region step-${reading.step}" href=${hrefOf(region)} aria-label=${text}>
    <path d=${d}><title>${text}</title></path>
  </a>`;
}

function label({ region, name, reading }) {
  const { x, y } = map.regions[region.region];
  return svg`<g class="map-label step-${reading.step}" transform="translate(${x} ${y})">
    <text class="map-name" y="-5">${name}</text>
    <text class="map-value ${reading.step ? "" : "map-none"}" y="14">${reading.main}</text>
  </g>`;
}

// rows: [{ region, name, reading }]
export function geomap(x, rows, hrefOf, title) {
  const placed = rows.filter(({ region }) => map.regions[region.region]);
  return html`<svg class="map" viewBox="0 0 ${map.width} ${map.height}" role="group" aria-label=${title}>
    <defs>
      <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect class="hatch-ground" width="7" height="7" />
        <path class="hatch-line" d="M0 0v7" />
      </pattern>
    </defs>
    ${placed.map((row) => shape(row, hrefOf))}
    <g class="map-labels" aria-hidden="true">${placed.map(label)}</g>
  </svg>`;
}
