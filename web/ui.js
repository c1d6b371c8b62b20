// Small parts that several panels use.
import { html } from './html.js';
import { recipeParts } from './format.js';
import { connection } from './state.js';

export function Chips({ recipe }) {
  return html`<ul class="chips" aria-label="Recipe">
    ${recipeParts(recipe).map((part) => html`<li>${part}</li>`)}
  </ul>`;
}

export function Progress({ job }) {
  const { percent } = job;
  const label = percent === null ? 'counting frames' : `${percent} %`;
  return html`<div
    class="progress ${percent === null ? 'unknown' : ''}"
    role="progressbar"
    aria-label="Progress of ${job.file}"
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${percent ?? undefined}
    aria-valuetext=${label}
  >
    <span style=${{ width: `${percent ?? 0}%` }}></span>
  </div>`;
}

const STATE_WORDS = {
  queued: 'Queued',
  running: 'Running',
  paused: 'Paused',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

export function State({ job }) {
  return html`<span class="state ${job.state}">${STATE_WORDS[job.state]}</span>`;
}

/** A panel that has nothing to show yet. */
export function Empty({ title, children }) {
  return html`<div class="empty">
    <h2>${title}</h2>
    ${children}
  </div>`;
}

/** Why something cannot be shown. While the daemon does not answer, the banner at the top says so. */
export function Fault({ error }) {
  if (error.status === 0 && connection.value === 'gone') return null;
  return html`<div class="banner error" role="alert"><p>${error.message}</p></div>`;
}

/** Lines that stand for a list while it is loaded. */
export function Loading({ lines = 4 }) {
  return html`<div class="loading" role="status" aria-label="Loading">
    ${Array.from({ length: lines }, () => html`<span></span>`)}
  </div>`;
}

/** Pairs of a name and a value; those without a value are left out. */
export function Facts({ facts }) {
  return html`<dl class="facts">
    ${facts
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
  </dl>`;
}

/** A text field and a group of buttons that narrow a list. */
export function Filters({ label, text, onText, group, children }) {
  return html`<div class="filters" role="search">
    <input
      type="search"
      placeholder=${label}
      aria-label=${label}
      value=${text}
      onInput=${({ target }) => onText(target.value)}
    />
    <div class="segments" role="group" aria-label=${group}>${children}</div>
  </div>`;
}
