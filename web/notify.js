// Notifications of the browser when a job is done or has failed. They are asked for by a button, and off until then.
import { get } from './api.js';
import { nameAndFolder } from './format.js';
import { html } from './html.js';
import { effect, signal } from './signals.js';
import { live, toast } from './state.js';

const KEY = 'framekiln-notify';
/** `on`, `off`, `denied` by the browser, or `unavailable`: browsers offer notifications on this machine and over HTTPS only. */
const state = signal(firstState());

function firstState() {
  if (!('Notification' in globalThis) || !globalThis.isSecureContext) return 'unavailable';
  if (Notification.permission === 'denied') return 'denied';
  return Notification.permission === 'granted' && localStorage.getItem(KEY) === 'on' ? 'on' : 'off';
}

export function NotifyButton() {
  if (state.value === 'unavailable') return null;
  const isOn = state.value === 'on';
  return html`<button class="notify" aria-pressed=${isOn} onClick=${isOn ? switchOff : switchOn}>
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 3a6 6 0 0 0-6 6c0 5-2 6-2 8h16c0-2-2-3-2-8a6 6 0 0 0-6-6Zm-2 16a2 2 0 0 0 4 0" />
    </svg>
    <span>Notify me when a job ends</span>
  </button>`;
}

async function switchOn() {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') {
    state.value = permission === 'denied' ? 'denied' : 'off';
    toast('This browser blocks notifications from this page; allow them in its settings for this site.', {
      ...{ kind: 'error', ms: 10_000 },
    });
    return;
  }
  localStorage.setItem(KEY, 'on');
  state.value = 'on';
}

function switchOff() {
  localStorage.removeItem(KEY);
  state.value = 'off';
}

/** What had ended when the page looked last; null before the first look. */
let ended = null;

/** Follows the numbers of finished and failed jobs. */
export function startNotifying() {
  effect(() => {
    const counts = live.value?.counts;
    if (!counts) return;
    const before = ended;
    ended = counts.done + counts.failed;
    if (state.value === 'on' && before !== null && ended > before) void tell(ended - before);
  });
}

async function tell(count) {
  try {
    const { jobs } = await get(`api/jobs?list=ended&limit=${Math.min(count, 3)}`);
    for (const job of jobs.filter((each) => each.state !== 'cancelled').toReversed()) show(job);
  } catch {
    // The page itself shows what has ended.
  }
}

function show(job) {
  const { name } = nameAndFolder(job.file);
  const isDone = job.state === 'done';
  const note = new Notification(isDone ? `${name} is done` : `${name} failed`, {
    body: isDone ? job.output : (job.error?.message ?? ''),
    // Several pages of one browser show one notification.
    ...{ tag: `framekiln-${job.id}-${job.finishedAt}`, icon: 'assets/icon.svg' },
  });
  note.onclick = () => {
    focus();
    location.hash = `#/job/${job.id}`;
  };
}
