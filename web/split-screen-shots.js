// The parts of a split screen: what each shows, and what it is to show instead.
import { spanOf, withSpan } from './draft.js';
import { number } from './format.js';
import { html } from './html.js';
import { useState } from './preact-hooks.js';
import { Crops } from './split-screen-crops.js';
import { Face } from './split-screen-people.js';

/** Parts that are listed at first; a film has thousands. */
const FIRST = 30;
const LAYOUTS = [
  ['', 'as decided'],
  ['side-by-side', 'side by side'],
  ['stacked', 'stacked'],
  ['grid', 'grid'],
  ['whole', 'whole image'],
];
const SHOWS = {
  panes: 'panes',
  crop: 'crops by hand',
  whole: 'whole image, by hand',
  alone: 'whole image: one person is alone',
  hidden: 'whole image: one person is hidden',
  nobody: 'whole image: nobody is there',
};

export function Shots({ job, screen, spans, onChange }) {
  const [count, setCount] = useState(FIRST);
  const parts = screen.shots.flatMap(({ stretches }, shot) =>
    stretches.map((stretch) => ({ ...stretch, shot: shot + 1 })),
  );
  return html`<section class="card" aria-labelledby="shots">
    <h2 id="shots">Shots</h2>
    <ol class="parts">
      ${parts.slice(0, count).map(
        (part) =>
          html`<li key=${part.from}>
            <${Part} job=${job} screen=${screen} part=${part} spans=${spans} onChange=${onChange} />
          </li>`,
      )}
    </ol>
    ${
      parts.length > count &&
      html`<button onClick=${() => setCount(count + FIRST)}>Show more of ${number(parts.length)}</button>`
    }
  </section>`;
}

function Part({ job, screen, part, spans, onChange }) {
  const [isOpen, setOpen] = useState(false);
  const span = spanOf(spans, part);
  const change = (what) => onChange(withSpan(spans, part, what));
  const name = `frames ${number(part.from)} to ${number(part.to - 1)}`;
  return html`<div class="part">
      <div class="faces">
        ${part.panes.map((pane) => {
          const person = screen.people.find(({ id }) => id === pane?.person);
          return html`<${Face}
            job=${job}
            person=${person}
            name=${person === undefined ? (pane === null ? 'empty pane' : 'crop') : `person ${person.id}`}
          />`;
        })}
      </div>
      <div class="about">
        <b>Shot ${part.shot}, ${name}</b>
        <small>
          ${SHOWS[part.shows] ?? part.shows}${part.shows === 'panes' ? `, ${part.layout}` : ''}
          ${span === null ? '' : describe(span)}
        </small>
      </div>
      <button
        aria-expanded=${isOpen}
        aria-label="${isOpen ? 'Close' : 'Correct'} ${name}"
        onClick=${() => setOpen(!isOpen)}
      >
        ${isOpen ? 'Close' : 'Correct'}
      </button>
    </div>
    ${
      isOpen &&
      html`<div class="correct" role="group" aria-label="Correct ${name}">
        <div class="correct-form">
          <${Bound}
            label="From frame"
            value=${span?.from ?? part.from}
            onChange=${(from) => change({ from })}
          />
          <${Bound}
            label="Up to frame"
            value=${(span?.to ?? part.to) - 1}
            onChange=${(to) => change({ to: to + 1 })}
          />
          <label class="field">
            <span>Layout</span>
            <select
              value=${span?.layout ?? ''}
              onChange=${({ target }) => change({ layout: target.value || undefined })}
            >
              ${LAYOUTS.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
            </select>
          </label>
          <${Seats} screen=${screen} part=${part} span=${span} onChange=${change} />
        </div>
        <${Crops} job=${job} screen=${screen} part=${part} span=${span} onChange=${change} />
        ${
          span !== null &&
          html`<button onClick=${() => onChange(spans.filter((each) => each !== span))}>
            Remove this correction
          </button>`
        }
      </div>`
    }`;
}

function Bound({ label, value, onChange }) {
  return html`<label class="field">
    <span>${label}</span>
    <input
      type="number"
      min="0"
      value=${value}
      onChange=${({ target }) => target.value !== '' && onChange(Number(target.value))}
    />
  </label>`;
}

/** Who is in which pane. */
function Seats({ screen, part, span, onChange }) {
  const decided = part.panes.map((pane) => pane?.person ?? null);
  const seats = span?.people ?? decided;
  const count = Math.max(2, seats.length);
  if (screen.people.length === 0) return null;
  const seat = (i, value) => {
    const next = Array.from({ length: count }, (_, at) => seats[at] ?? null);
    const id = value === '' ? null : Number(value);
    // Who sat there takes the place of the one who comes.
    const other = next.indexOf(id);
    if (id !== null && other >= 0) next[other] = next[i];
    next[i] = id;
    const people = next.filter((each) => each !== null);
    onChange({ people: people.length === 0 ? undefined : people, crops: undefined });
  };
  return Array.from(
    { length: count },
    (_, i) =>
      html`<label class="field" key=${i}>
        <span>Pane ${i + 1}</span>
        <select value=${seats[i] ?? ''} onChange=${({ target }) => seat(i, target.value)}>
          <option value="">nobody</option>
          ${screen.people.map(({ id }) => html`<option value=${id}>person ${id}</option>`)}
        </select>
      </label>`,
  );
}

function describe({ layout, people, crops, single }) {
  const parts = [
    ...(layout === undefined ? [] : [LAYOUTS.find(([value]) => value === layout)?.[1] ?? layout]),
    ...(people === undefined ? [] : [`people ${people.join(', ')}`]),
    ...(crops === undefined ? [] : [`${crops.length} crops by hand`]),
    ...(single === undefined ? [] : [`alone: ${single}`]),
  ];
  return parts.length === 0 ? '' : ` → ${parts.join(', ')}`;
}
