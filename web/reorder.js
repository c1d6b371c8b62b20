// Changing the order of the queue: a handle at each queued job that is dragged, or moved with the arrow keys.
import { send } from './commands.js';
import { nameAndFolder } from './format.js';
import { html } from './html.js';
import { useEffect, useRef } from './preact-hooks.js';

/** Distance from the edge of the window at which dragging scrolls, and how far it scrolls at a time, in pixels. */
const EDGE = 70;
const SCROLL_STEP = 14;

/**
 * @param box reference to the list
 * @param jobs the jobs that are shown, in their order
 */
export function useReorder(box, jobs) {
  const shown = useRef(jobs);
  shown.current = jobs ?? [];
  const focusId = useRef(null);
  // A row that moves within the list loses the focus.
  useEffect(() => {
    if (focusId.current === null) return;
    const handle = box.current?.querySelector(`[data-id="${focusId.current}"] .handle`);
    if (handle && document.activeElement === document.body) handle.focus();
  }, [jobs]);

  const queued = () => shown.current.filter(({ state }) => state === 'queued');
  // The neighbour in the list may be hidden by a filter, or not loaded.
  const move = (job, otherId, isAfter) =>
    send(`api/jobs/${job.id}/move`, isAfter ? { after: otherId } : { before: otherId });

  /** One place up (-1) or down (1). */
  const step = (job, by) => {
    const list = queued();
    const at = list.findIndex(({ id }) => id === job.id);
    const target = at + by;
    if (at < 0 || target < 0 || target >= list.length) return;
    focusId.current = job.id;
    void move(job, list[target].id, by > 0);
  };

  const drag = (job, event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    // The listeners are on the window: scrolling may remove the row from the list.
    const row = handle.closest('.row');
    row.classList.add('dragged');
    let [target, y] = [null, event.clientY];
    const mark = () => {
      for (const each of box.current.querySelectorAll('.drop-before, .drop-after'))
        each.classList.remove('drop-before', 'drop-after');
      target = targetAt(box.current, y, job.id);
      target?.row.classList.add(target.isAfter ? 'drop-after' : 'drop-before');
    };
    const timer = setInterval(() => {
      const by = y < EDGE ? -SCROLL_STEP : y > innerHeight - EDGE ? SCROLL_STEP : 0;
      if (by !== 0) scrollBy(0, by);
      if (by !== 0) mark();
    }, 16);
    const onMove = (moved) => {
      y = moved.clientY;
      mark();
    };
    const end = (isDropped) => {
      clearInterval(timer);
      removeEventListener('pointermove', onMove);
      removeEventListener('pointerup', drop);
      removeEventListener('pointercancel', cancel);
      removeEventListener('keydown', onKey, true);
      const wanted = isDropped ? target : null;
      target = null;
      row.classList.remove('dragged');
      for (const each of box.current?.querySelectorAll('.drop-before, .drop-after') ?? [])
        each.classList.remove('drop-before', 'drop-after');
      if (wanted !== null) void move(job, wanted.id, wanted.isAfter);
    };
    const drop = () => end(true);
    const cancel = () => end(false);
    const onKey = (pressed) => pressed.key === 'Escape' && end(false);
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', drop);
    addEventListener('pointercancel', cancel);
    addEventListener('keydown', onKey, true);
  };
  return { step, drag };
}

/** The queued row at a height of the window, and whether the lower half of it is meant; null for none. */
function targetAt(box, y, ownId) {
  const rows = [...box.querySelectorAll('.row[data-state="queued"]')].filter(
    ({ dataset }) => Number(dataset.id) !== ownId,
  );
  const row = rows.find((each) => each.getBoundingClientRect().bottom > y) ?? rows.at(-1);
  if (row === undefined) return null;
  const { top, height } = row.getBoundingClientRect();
  return { row, id: Number(row.dataset.id), isAfter: y > top + height / 2 };
}

export function DragHandle({ job, reorder }) {
  const { name } = nameAndFolder(job.file);
  const onKeyDown = (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    reorder.step(job, by);
  };
  return html`<button
    class="handle"
    aria-label="Move ${name}: drag it, or press the arrow keys"
    title="Drag, or press the arrow keys"
    onPointerDown=${(event) => reorder.drag(job, event)}
    onKeyDown=${onKeyDown}
  >
    <span aria-hidden="true">⠿</span>
  </button>`;
}
