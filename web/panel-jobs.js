// The lists of jobs. Only the rows in view exist, so that ten thousand are as smooth as ten.
import { cancelLater, commandJob, send } from './commands.js';
import { bytes, clock, counted, nameAndFolder, number, roughDuration } from './format.js';
import { DragHandle, useReorder } from './reorder.js';
import { PickBox, SelectionBar, useSelection } from './selection.js';
import { html } from './html.js';
import { tookTime } from './panel-now.js';
import { useEffect, useRef, useState } from './preact-hooks.js';
import { live, nowMs, pauseReason } from './state.js';
import { Chips, Empty, Fault, Filters, Loading, Progress } from './ui.js';
import { useJobs } from './use-jobs.js';

/** Rows that are read at once; the server allows 200. */
const WINDOW = 60;
/** Rows before the first visible one. */
const MARGIN = 20;

export function Queue() {
  const { counts, queuePaused, rejected, skipped, waiting } = live.value ?? {};
  const isEmpty = counts && counts.queued + counts.running + counts.paused === 0;
  return html`<header class="title">
      <div>
        <h1>Queue</h1>
        <${QueueTotal} />
      </div>
      ${
        counts &&
        !queuePaused &&
        html`<button onClick=${() => send('api/queue/pause')}>Pause the queue</button>`
      }
    </header>
    ${
      isEmpty
        ? html`<${Empty} title="The queue is empty"
            ><p><a class="button primary" href="#/add">Add files</a></p><//
          >`
        : html`<${JobList} list="queue" states=${['running', 'queued', 'paused']} />`
    }
    <${Files} title="Rejected files in input/" files=${rejected} />
    <${Files} title="Files that may be incomplete" files=${waiting} />
    <${Files} title="Skipped files in input/" files=${skipped} />`;
}

/** How long everything takes that is not finished. */
function QueueTotal() {
  const { counts, running, queueTime } = live.value ?? {};
  if (!counts || counts.queued + counts.running === 0 || queueTime === null) return null;
  const unknownCount =
    queueTime.unknownCount + running.filter(({ secondsLeft }) => secondsLeft === null).length;
  const seconds = queueTime.seconds + running.reduce((sum, { secondsLeft }) => sum + (secondsLeft ?? 0), 0);
  const jobs = counted(counts.queued + counts.running, 'job');
  if (seconds === 0) return html`<p class="quiet">${jobs}; how long they take is not known yet</p>`;
  const rest = unknownCount === 0 ? '' : `, and ${counted(unknownCount, 'job')} without an estimate`;
  const end = pauseReason.value === null ? `; ends ${clock(nowMs.value + seconds * 1000)}` : '';
  return html`<p class="quiet">
    ${jobs}: about ${roughDuration(seconds)} left${rest}${unknownCount === 0 ? end : ''}
  </p>`;
}

export function Ended() {
  const { counts } = live.value ?? {};
  const isEmpty = counts && counts.done + counts.failed + counts.cancelled === 0;
  return html`<header class="title"><h1>Finished</h1></header>
    ${
      isEmpty
        ? html`<${Empty} title="Nothing is finished yet"
            ><p>Finished, failed and cancelled jobs appear here.</p><//
          >`
        : html`<${JobList} list="ended" states=${['done', 'failed', 'cancelled']} />`
    }`;
}

function JobList({ list, states }) {
  const [text, setText] = useState('');
  const [state, setState] = useState('');
  const [first, setFirst] = useState(0);
  const box = useRef(null);
  const part = useJobs({ list, state, text, offset: first, limit: WINDOW });
  const { jobs, total, error, offset } = part;
  const selection = useSelection({ list, state, text }, part);
  const counts = live.value?.counts;
  const reorder = useReorder(box, jobs);

  useEffect(() => {
    const onScroll = () => {
      const rows = box.current;
      if (rows === null) return;
      const above = Math.max(0, -rows.getBoundingClientRect().top);
      const row = Math.floor(above / rowHeight(rows));
      const wanted = Math.max(0, Math.floor((row - MARGIN) / MARGIN) * MARGIN);
      setFirst(wanted);
    };
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, []);
  const narrow = (change) => {
    setFirst(0);
    // Nobody should change jobs that are out of sight.
    selection.clear();
    change();
  };

  return html`<${Filters}
      label="Filter by name"
      text=${text}
      onText=${(value) => narrow(() => setText(value))}
      group="Filter by state"
    >
      ${['', ...states].map(
        (each) =>
          html`<button aria-pressed=${state === each} onClick=${() => narrow(() => setState(each))}>
            ${each === '' ? 'All' : each[0].toUpperCase() + each.slice(1)}
            ${each !== '' && counts && html`<small>${number(counts[each])}</small>`}
          </button>`,
      )}
    <//>
    ${error !== null && html`<${Fault} error=${error} />`}
    <${SelectionBar}
      selection=${selection}
      total=${total}
      onDone=${() => box.current?.focus({ preventScroll: true })}
    />
    ${
      jobs === null
        ? html`<${Loading} lines=${8} />`
        : total === 0
          ? html`<p class="none-found" role="status">No job matches this filter.</p>`
          : html`<ul
              class="rows"
              ref=${box}
              tabindex="-1"
              aria-label="${counted(total, 'job')}"
              onKeyDown=${selection.onKeyDown}
            >
              <li class="spacer" aria-hidden="true" ref=${(node) => setHeight(node, offset)}></li>
              ${jobs.map(
                (job, i) =>
                  html`<li
                    key=${job.id}
                    class="row ${selection.selected.has(job.id) ? 'picked' : ''}"
                    data-id=${job.id}
                    data-state=${job.state}
                    aria-posinset=${offset + i + 1}
                    aria-setsize=${total}
                  >
                    <${Row} job=${job} position=${offset + i} reorder=${reorder} selection=${selection} />
                  </li>`,
              )}
              <li
                class="spacer"
                aria-hidden="true"
                ref=${(node) => setHeight(node, Math.max(0, total - offset - jobs.length))}
              ></li>
            </ul>`
    }`;
}

function rowHeight(rows) {
  return rows.querySelector('.row')?.getBoundingClientRect().height || 64;
}

function setHeight(node, rows) {
  if (node !== null) node.style.height = `calc(${rows} * var(--row))`;
}

function Row({ job, position, reorder, selection }) {
  const { name, folder } = nameAndFolder(job.file);
  return html`<span class="lead">
      <${PickBox} job=${job} position=${position} selection=${selection} />
      ${job.state === 'queued' && html`<${DragHandle} job=${job} reorder=${reorder} />`}
      <span class="dot ${job.state}"></span>
    </span>
    <a class="name" href="#/job/${job.id}">
      <b>${name}</b><small>${folder === '' ? '' : `${folder}/ · `}job ${job.id}</small>
    </a>
    <${Chips} recipe=${job.recipe} />
    <span class="about">${aboutJob(job)}</span>
    <span class="buttons">${buttonsOf(job)}</span>`;
}

/** What matters most about a job in its state. */
function aboutJob(job) {
  if (job.state === 'running')
    return html`<span class="with-bar">${job.percent ?? 0} %<${Progress} job=${job} /></span>`;
  if (job.state === 'failed')
    return html`<span class="bad" title=${job.error?.message}>${job.error?.code}</span>
      <small class="why">${job.error?.message}</small>`;
  if (job.state === 'done') {
    const size = job.report?.outputBytes;
    return html`<span>${clock(Date.parse(job.finishedAt))}</span>
      <small>${[`in ${tookTime(job)}`, ...(size ? [bytes(size)] : [])].join(' · ')}</small>`;
  }
  if (job.state === 'cancelled') return html`<span>Cancelled</span>`;
  if (job.note !== null || job.error !== null)
    return html`<span class="warn note" title=${job.note ?? job.error.message}
      >${job.note ?? job.error.code}</span
    >`;
  const seconds = job.estimate?.seconds;
  return html`<span class=${job.warning === null ? '' : 'warn'} title=${job.warning}
      >${seconds == null ? (job.state === 'paused' ? 'Paused' : '') : `about ${roughDuration(seconds)}`}</span
    >
    ${job.priority !== 0 && html`<small>priority ${job.priority}</small>`}`;
}

/**
 * The buttons for a job, by what its state allows. Each has a key, and what all states have comes last, so that a
 * press on a button never becomes one on another when the state changes at that moment.
 */
export function buttonsOf(job) {
  const { name } = nameAndFolder(job.file);
  const button = (label, run, title) =>
    html`<button
      key=${label}
      onClick=${run}
      aria-label="${title ?? label} ${name}"
      title=${title && `${title} ${name}`}
    >
      ${label}
    </button>`;
  switch (job.state) {
    case 'running':
      return [button('Pause', () => commandJob(job, 'pause')), button('Cancel', () => cancelLater(job))];
    case 'queued':
      return [button('Pause', () => commandJob(job, 'pause')), button('Cancel', () => cancelLater(job))];
    case 'paused':
      return [button('Resume', () => commandJob(job, 'resume')), button('Cancel', () => cancelLater(job))];
    case 'failed':
    case 'cancelled':
      return [button('Retry', () => commandJob(job, 'retry'))];
    default:
      return [];
  }
}

function Files({ title, files = [] }) {
  if (files.length === 0) return null;
  return html`<section class="card files">
    <h2>${title}</h2>
    <ul>
      ${files.map(({ file, code, message }) => html`<li><b>${file}</b> <code>${code}</code> <span>${message}</span></li>`)}
    </ul>
  </section>`;
}
