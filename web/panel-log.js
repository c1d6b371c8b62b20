// The log, as it is written.
import { html } from './html.js';
import { useEffect, useRef, useState } from './preact-hooks.js';
import { log, toast } from './state.js';
import { Filters } from './ui.js';

const LEVELS = ['debug', 'info', 'warn', 'error'];

export function Log() {
  const [level, setLevel] = useState('debug');
  const [text, setText] = useState('');
  const least = LEVELS.indexOf(level);
  const wanted = text.toLowerCase();
  const entries = log.value.filter(
    (entry) =>
      LEVELS.indexOf(entry.level) >= least &&
      (wanted === '' || `${entry.prefix ?? ''} ${entry.message}`.toLowerCase().includes(wanted)),
  );
  const copy = async () => {
    try {
      // Over plain HTTP from another machine, browsers offer no clipboard.
      await navigator.clipboard.writeText(entries.map(lineOf).join('\n'));
      toast('Copied');
    } catch {
      toast('This browser did not allow copying.', { kind: 'error' });
    }
  };
  return html`<header class="title">
      <h1>Log</h1>
      <button onClick=${copy}>Copy</button>
    </header>
    <${Filters} label="Filter by file or text" text=${text} onText=${setText} group="Lowest level">
      ${[
        ['debug', 'All'],
        ['warn', 'Warnings'],
        ['error', 'Errors'],
      ].map(
        ([each, label]) =>
          html`<button aria-pressed=${level === each} onClick=${() => setLevel(each)}>${label}</button>`,
      )}
    <//>
    ${
      entries.length === 0
        ? html`<p class="none-found" role="status">No entry matches this filter.</p>`
        : html`<${LogLines} entries=${entries} follows=${true} />`
    }`;
}

/** Log entries as lines; with `follows`, the newest stays in view unless the user has scrolled up. */
export function LogLines({ entries, hidePrefix = false, follows = false }) {
  const box = useRef(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    if (follows && isAtEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  });
  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < 40;
  };
  return html`<div
    class="log ${follows ? 'tall' : ''}"
    role="log"
    tabindex="0"
    aria-label="Log"
    ref=${box}
    onScroll=${onScroll}
  >
    ${entries.map(
      (entry) =>
        html`<div key=${entry.number} class="line ${entry.level}">
          <time>${timeOf(entry)}</time>
          ${entry.level !== 'info' && html`<b>${entry.level}</b>`}
          ${!hidePrefix && entry.prefix !== null && html`<span class="prefix">${entry.prefix}</span>`}
          <span>${entry.message}</span>
        </div>`,
    )}
  </div>`;
}

function timeOf({ atMs }) {
  return new Date(atMs).toLocaleTimeString('en-GB');
}

function lineOf(entry) {
  const prefix = entry.prefix === null ? '' : `[${entry.prefix}] `;
  return `${new Date(entry.atMs).toISOString()} ${entry.level.toUpperCase().padEnd(5)} ${prefix}${entry.message}`;
}
