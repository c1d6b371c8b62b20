// The people of a split screen: who may be shown, and in which order.
import { moved, seatOrder } from './draft.js';
import { counted, number } from './format.js';
import { html } from './html.js';
import { useEffect, useRef } from './preact-hooks.js';

/** @param people their numbers in order; null while everybody may be shown */
export function People({ job, screen, people, onChange }) {
  const seats = seatOrder(screen);
  const shown = people ?? seats;
  const order = [...shown, ...seats.filter((id) => !shown.includes(id))];
  const toggle = (id) => {
    const next = shown.includes(id) ? shown.filter((each) => each !== id) : [...shown, id];
    onChange(next);
  };
  // A person who moves within the list loses the focus.
  const focused = useRef(null);
  useEffect(() => {
    if (focused.current !== null) document.querySelector(`[data-move="${focused.current}"]`)?.focus();
    focused.current = null;
  }, [people]);
  const move = (id, by, word) => {
    focused.current = `${id} ${word}`;
    onChange(moved(shown, id, by));
  };
  if (screen.people.length === 0)
    return html`<section class="card">
      <h2>People</h2>
      <p>No face was found.</p>
    </section>`;
  return html`<section class="card" aria-labelledby="people">
    <h2 id="people">People</h2>
    <p class="quiet">
      ${
        people === null
          ? 'Framekiln chooses whom it shows. To choose yourself, move people or leave somebody out.'
          : 'Only these people are shown, the first one on the left or at the top.'
      }
    </p>
    <ol class="people">
      ${order.map((id) => {
        const person = screen.people.find((each) => each.id === id);
        if (person === undefined) return null;
        const at = shown.indexOf(id);
        return html`<li key=${id} class=${at < 0 ? 'left-out' : ''}>
          <${Face} job=${job} person=${person} />
          <div class="about">
            <b>Person ${id}</b>
            <small>in ${counted(person.frames, 'frame')}, from frame ${number(person.firstFrame)}</small>
            <label class="inline">
              <input
                type="checkbox"
                checked=${at >= 0}
                disabled=${at >= 0 && shown.length === 1}
                aria-label="Show person ${id}"
                onChange=${() => toggle(id)}
              />
              Show
            </label>
          </div>
          <div class="buttons">
            ${[-1, 1].map((by) => {
              const word = by < 0 ? 'earlier' : 'later';
              // A disabled button would lose the focus at the end of the way.
              const isLast = moved(shown, id, by) === shown;
              return html`<button
                aria-label="Person ${id} ${word}"
                title=${word}
                data-move="${id} ${word}"
                aria-disabled=${isLast}
                onClick=${() => !isLast && move(id, by, word)}
              >
                ${by < 0 ? '←' : '→'}
              </button>`;
            })}
          </div>
        </li>`;
      })}
    </ol>
    ${people !== null && html`<button onClick=${() => onChange(null)}>Let Framekiln choose</button>`}
  </section>`;
}

/** A thumbnail, or the number of the person where there is none. @param name for screen readers; empty beside text */
export function Face({ job, person, name = '' }) {
  return person?.thumbnail === undefined
    ? html`<span class="face" role=${name === '' ? 'presentation' : 'img'} aria-label=${name || undefined}
        >${person?.id ?? '?'}</span
      >`
    : html`<img class="face" src="api/jobs/${job.id}/people/${person.id}" alt=${name} />`;
}
