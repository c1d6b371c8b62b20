// The crops of a part of a split screen on a frame of the source, and numbers to change them.
import { html } from './html.js';

const EDGES = [
  ['x', 'left'],
  ['y', 'top'],
  ['width', 'width'],
  ['height', 'height'],
];

export function Crops({ job, screen, part, span, onChange }) {
  const { width, height } = screen;
  const decided = part.panes.flatMap((pane) => (pane?.first ? [pane.first] : []));
  const crops = span?.crops ?? decided;
  const isOwn = span?.crops !== undefined;
  if (width === null || height === null || job.framesTotal === null) return null;
  const start = () => {
    const half = { y: 0, width: Math.floor(width / 2), height };
    const halves = [
      { x: 0, ...half },
      { x: Math.floor(width / 2), ...half },
    ];
    const layout = span?.layout === 'whole' ? undefined : span?.layout;
    onChange({ crops: decided.length > 0 ? decided : halves, people: undefined, layout });
  };
  const change = (i, key, value) =>
    onChange({ crops: crops.map((crop, at) => (at === i ? { ...crop, [key]: value } : crop)) });
  const moment = (part.from + 0.5) / job.framesTotal;
  return html`<div class="crops">
    <figure class="crop-view" style=${{ aspectRatio: `${width} / ${height}` }}>
      <img
        src="api/jobs/${job.id}/preview?side=before&moment=${moment}"
        alt="Frame ${part.from} of the source"
        loading="lazy"
      />
      ${crops.map(
        (crop, i) =>
          html`<span
            class="crop"
            aria-hidden="true"
            style=${{
              left: `${(crop.x / width) * 100}%`,
              top: `${(crop.y / height) * 100}%`,
              width: `${(crop.width / width) * 100}%`,
              height: `${(crop.height / height) * 100}%`,
            }}
            ><b>${i + 1}</b></span
          >`,
      )}
    </figure>
    ${
      isOwn
        ? crops.map(
            (crop, i) =>
              html`<fieldset class="crop-fields" key=${i}>
                <legend>Crop ${i + 1}, in pixels of the source</legend>
                ${EDGES.map(
                  ([key, label]) =>
                    html`<label class="field"
                      ><span>${label}</span>
                      <input
                        type="number"
                        step="2"
                        min=${key === 'width' || key === 'height' ? 2 : undefined}
                        value=${crop[key]}
                        onChange=${({ target }) =>
                          target.value !== '' && change(i, key, Math.round(Number(target.value)))}
                      />
                    </label>`,
                )}
              </fieldset>`,
          )
        : html`<button onClick=${start}>Set crops by hand</button>`
    }
  </div>`;
}
