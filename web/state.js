// What the page knows: the state that the daemon sends every second, the log, and where the user is.
import { get, needsToken, openSession } from './api.js';
import { batch, computed, signal } from './signals.js';

/** The last state that the daemon has sent; null before the first. */
export const live = signal(null);
/** When it came, by the clock of this machine. */
export const liveAtMs = signal(0);
/** `loading`, `open`, or `gone` while the daemon does not answer. */
export const connection = signal('loading');
/** Log entries, oldest first. */
export const log = signal([]);
/** The path after # in the address, such as `job/12`. */
export const route = signal(routeNow());
/** Short messages at the lower edge. */
export const toasts = signal([]);
/** Grows whenever lists of jobs have to be read again. */
export const revision = signal(0);
/** Time for displays that count down. */
export const nowMs = signal(Date.now());

const LOG_LIMIT = 1000;
const SILENCE_MS = 20_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
const SLOW_REFRESH_MS = 15_000;

export const isWorking = computed(() => (live.value?.running.length ?? 0) > 0);

/** Why nothing is processed although the daemon runs; null if that is not so. */
export const pauseReason = computed(() => {
  const state = live.value;
  if (state === null) return null;
  if (state.queuePaused) return 'queue paused';
  return state.throttled;
});

let events = null;
let retryMs = FIRST_RETRY_MS;
let heardAtMs = 0;
let retryTimer = null;

/** Connects to the daemon, and again whenever the connection is lost. */
export async function connect() {
  clearTimeout(retryTimer);
  events?.close();
  try {
    if (!(await openSession())) {
      connection.value = 'open';
      return;
    }
    const { entries } = await get('api/log');
    log.value = entries;
  } catch {
    lose();
    return;
  }
  events = new EventSource('api/events');
  heardAtMs = Date.now();
  events.addEventListener('state', ({ data }) => receive(JSON.parse(data)));
  events.addEventListener('log', ({ data }) => {
    heardAtMs = Date.now();
    const entry = JSON.parse(data);
    if (entry.number > (log.value.at(-1)?.number ?? 0))
      log.value = [...log.value.slice(1 - LOG_LIMIT), entry];
  });
  events.onerror = lose;
}

function lose() {
  events?.close();
  events = null;
  if (needsToken.value) return;
  connection.value =
    live.value === null && connection.value === 'loading' && retryMs < 2000 ? 'loading' : 'gone';
  clearTimeout(retryTimer);
  retryTimer = setTimeout(connect, retryMs);
  retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
}

let refreshedAtMs = 0;

function receive(state) {
  heardAtMs = Date.now();
  retryMs = FIRST_RETRY_MS;
  const before = live.value;
  const mark = (of) =>
    JSON.stringify([
      of?.changeMark,
      of?.counts,
      of?.queueTime,
      of?.running.map(({ id, state: s }) => [id, s]),
    ]);
  const isDue = heardAtMs - refreshedAtMs > SLOW_REFRESH_MS;
  batch(() => {
    live.value = state;
    liveAtMs.value = heardAtMs;
    nowMs.value = heardAtMs;
    connection.value = 'open';
    if (isDue || mark(before) !== mark(state)) {
      refreshedAtMs = heardAtMs;
      revision.value++;
    }
  });
}

// A laptop that wakes up has a connection that looks open and is dead.
const wake = () => {
  if (document.visibilityState === 'visible' && Date.now() - heardAtMs > 3000 && !needsToken.value)
    void connect();
};
document.addEventListener('visibilitychange', wake);
addEventListener('online', wake);
addEventListener('pageshow', ({ persisted }) => persisted && void connect());
setInterval(() => {
  nowMs.value = Date.now();
  if (events !== null && Date.now() - heardAtMs > SILENCE_MS) lose();
}, 1000);

addEventListener('hashchange', () => {
  route.value = routeNow();
});

function routeNow() {
  return decodeURIComponent(location.hash.replace(/^#\/?/, '')) || 'now';
}

let toastCount = 0;

/**
 * Shows a message for a while.
 *
 * @param action `{ label, run }` for a button beside it
 * @returns a function that removes it
 */
export function toast(text, { kind = 'info', action = null, ms = 6000 } = {}) {
  const id = ++toastCount;
  const remove = () => {
    toasts.value = toasts.value.filter((each) => each.id !== id);
  };
  toasts.value = [...toasts.value.slice(-3), { id, text, kind, action, remove }];
  setTimeout(remove, ms);
  return remove;
}
