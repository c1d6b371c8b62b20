// Jobs that are selected in a list, by mouse or keys, and the bar with what can be done with all of them.
import { get } from './api.js';
import { changeGroup, changeGroupLater } from './commands.js';
import { counted, nameAndFolder, number } from './format.js';
import { html } from './html.js';
import { useRef, useState } from './preact-hooks.js';
import { toast } from './state.js';

/** The daemon changes this many jobs with one command. */
const MOST = 10_000;

/**
 * @param query what the list shows: `list`, `state` and `text`
 * @param shown what is loaded of it: `jobs`, `offset` and `total`
 */
export function useSelection(query, { jobs, offset, total }) {
  /** States by job ID. */
  const [picked, setPicked] = useState(new Map());
  /** Where a range begins. */
  const anchor = useRef(null);
  const selected = asShown(picked, { jobs, offset, total });

  const positionOf = ({ id, position }) => {
    const i = (jobs ?? []).findIndex((job) => job.id === id);
    return i < 0 ? position : offset + i;
  };
  const add = (more) => setPicked((old) => new Map([...old, ...more.map(({ id, state }) => [id, state])]));
  const clear = () => {
    anchor.current = null;
    setPicked(new Map());
  };
  /** Adds the jobs at these positions of the list, which may not be loaded. */
  const addRange = async (from, count) => {
    const isLoaded = from >= offset && from + count <= offset + jobs.length;
    try {
      add(isLoaded ? jobs.slice(from - offset, from - offset + count) : await readIds(query, from, count));
    } catch (error) {
      toast(error.message, { kind: 'error' });
    }
  };
  const toggle = (job, position, isRange) => {
    if (isRange && anchor.current !== null) {
      const from = Math.min(positionOf(anchor.current), position);
      const to = Math.max(positionOf(anchor.current), position);
      add([job]);
      void addRange(from, Math.min(MOST, to - from + 1));
      return;
    }
    anchor.current = { id: job.id, position };
    setPicked((old) => {
      const changed = new Map(old);
      if (!changed.delete(job.id)) changed.set(job.id, job.state);
      return changed;
    });
  };
  const selectAll = () => {
    if (total > MOST) toast(`Only the first ${number(MOST)} of ${counted(total, 'job')} are selected.`);
    return addRange(0, Math.min(total, MOST));
  };
  /** Keys in the list and in the bar. */
  const onKeyDown = (event) => {
    if (event.key === 'Escape' && selected.size > 0) clear();
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey) && event.target.type !== 'number') {
      event.preventDefault();
      void selectAll();
    }
  };
  return { selected, add, toggle, selectAll, clear, onKeyDown };
}

/** The selection with the states that are known by now; without jobs that have left a list that is loaded as a whole. */
function asShown(picked, { jobs, total }) {
  if (jobs === null || picked.size === 0) return picked;
  const states = new Map(jobs.map(({ id, state }) => [id, state]));
  const isWhole = jobs.length === total;
  return new Map(
    [...picked]
      .filter(([id]) => !isWhole || states.has(id))
      .map(([id, state]) => [id, states.get(id) ?? state]),
  );
}

async function readIds({ list, state, text }, offset, limit) {
  const query = new URLSearchParams({ list, text, offset, limit });
  if (state !== '') query.set('state', state);
  return (await get(`api/jobs/ids?${query}`)).jobs;
}

/** The checkbox of a row. The arrow keys lead to the next row, with Shift they select it too. */
export function PickBox({ job, position, selection }) {
  const onKeyDown = (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const boxes = [...event.currentTarget.closest('.rows').querySelectorAll('.pick')];
    const next = boxes[boxes.indexOf(event.currentTarget) + by];
    if (next === undefined) return;
    next.focus();
    if (event.shiftKey && !next.checked) next.click();
    if (event.shiftKey && !event.currentTarget.checked) event.currentTarget.click();
  };
  return html`<input
    type="checkbox"
    class="pick"
    aria-label="Select ${nameAndFolder(job.file).name}"
    checked=${selection.selected.has(job.id)}
    onClick=${(event) => selection.toggle(job, position, event.shiftKey)}
    onKeyDown=${onKeyDown}
  />`;
}

const UNFINISHED = ['running', 'queued', 'paused'];
/** Label, command, states of the jobs that it fits, and whether it waits for a while because it cannot be taken back. */
const ACTIONS = [
  ['Pause', 'pause', ['running', 'queued'], null],
  ['Resume', 'resume', ['paused'], null],
  ['Cancel', 'cancel', UNFINISHED, 'Cancelling'],
  ['Retry', 'retry', ['failed', 'cancelled'], 'Retrying'],
  ['Process again', 'retry', ['done'], 'Queueing'],
];

/** @param onDone called when the jobs were given to the daemon */
export function SelectionBar({ selection, total, onDone }) {
  const { selected } = selection;
  const idsIn = (states) => [...selected].filter(([, state]) => states.includes(state)).map(([id]) => id);
  const run = (change) => {
    selection.clear();
    onDone();
    change();
  };
  const buttons = ACTIONS.map(([label, kind, states, waiting]) => {
    const ids = idsIn(states);
    if (ids.length === 0) return null;
    const change = () =>
      waiting === null
        ? changeGroup({ kind, ids })
        : changeGroupLater({ kind, ids }, `${waiting} ${counted(ids.length, 'job')} …`);
    return html`<button key=${label} onClick=${() => run(change)}>
      ${label}${ids.length < selected.size && html`<small>${number(ids.length)}</small>`}
    </button>`;
  });
  const unfinished = idsIn(UNFINISHED);
  const count = `${number(selected.size)} selected`;
  return html`<p class="hidden" role="status">${selected.size > 0 ? count : ''}</p>
    ${
      selected.size > 0 &&
      html`<section class="card selection" aria-label="Selected jobs" onKeyDown=${selection.onKeyDown}>
        <b>${count}</b>
        <div class="buttons">
          ${buttons} ${unfinished.length > 0 && html`<${PriorityForm} ids=${unfinished} run=${run} />`}
        </div>
        <div class="buttons">
          ${
            selected.size < Math.min(total, MOST) &&
            html`<button onClick=${selection.selectAll}>Select all ${number(Math.min(total, MOST))}</button>`
          }
          <button onClick=${() => run(() => undefined)}>Clear</button>
        </div>
      </section>`
    }`;
}

function PriorityForm({ ids, run }) {
  const [priority, setPriority] = useState('');
  const submit = (event) => {
    event.preventDefault();
    run(() => changeGroup({ kind: 'prioritise', ids, priority: Number(priority) }));
  };
  return html`<form class="inline" onSubmit=${submit}>
    <label class="inline" title="Jobs with a higher priority run first">
      Priority
      <input
        type="number"
        min="-1000"
        max="1000"
        required
        value=${priority}
        onInput=${({ target }) => setPriority(target.value)}
      />
    </label>
    <button aria-label="Set the priority">Set</button>
  </form>`;
}
