// The page of Framekiln: navigation, the state of the daemon, and the panel that the address names.
import { needsToken } from './api.js';
import { send } from './commands.js';
import { bytes, number } from './format.js';
import { html } from './html.js';
import { NotifyButton, startNotifying } from './notify.js';
import { Add } from './panel-add.js';
import { DualFace } from './panel-dual-face.js';
import { JobPage } from './panel-job.js';
import { Ended, Queue } from './panel-jobs.js';
import { Log } from './panel-log.js';
import { Doctor, Machine } from './panel-machine.js';
import { Now } from './panel-now.js';
import { Settings } from './panel-settings.js';
import { Try } from './panel-try.js';
import { render } from './preact.js';
import { useEffect } from './preact-hooks.js';
import { effect } from './signals.js';
import { SignIn } from './sign-in.js';
import { connect, connection, live, pauseReason, route, toasts } from './state.js';
import { showInTab } from './tab.js';

const PANELS = [
  ['now', 'Now', Now],
  ['queue', 'Queue', Queue],
  ['ended', 'Finished', Ended],
  ['add', 'Add', Add],
  ['try', 'Try', Try],
  ['dual-face', 'Dual-face', DualFace],
  ['log', 'Log', Log],
  ['machine', 'Machine', Machine],
  ['settings', 'Settings', Settings],
  ['doctor', 'Doctor', Doctor],
];

const LOW_BYTES = 2e9;

function App() {
  if (needsToken.value) return html`<main class="alone"><${SignIn} /></main>`;
  const [name, id] = route.value.split('/');
  const panel = PANELS.find(([each]) => each === name);
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Navigation} current=${name === 'job' ? '' : name} />
    <main id="main" tabindex="-1">
      <${Banners} />
      ${
        name === 'job'
          ? html`<${JobPage} key=${id} id=${id} />`
          : panel === undefined
            ? html`<h1>Not found</h1>
                <p><a href="#/now">Go to Now</a></p>`
            : html`<${panel[2]} key=${name + (name === 'dual-face' ? id : '')} />`
      }
    </main>
    <${Toasts} />`;
}

/** The address is that of the panel, so the link must not change it. */
function skip(event) {
  event.preventDefault();
  document.querySelector('main').focus();
}

function Navigation({ current }) {
  const counts = live.value?.counts;
  const badges = {
    queue: counts && counts.queued + counts.running + counts.paused,
    ended: counts?.failed,
  };
  useEffect(() => {
    const reveal = () =>
      document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    reveal();
    // A phone that is turned has another width.
    addEventListener('resize', reveal);
    return () => removeEventListener('resize', reveal);
  }, [current]);
  return html`<nav aria-label="Panels">
    <a class="brand" href="#/now" aria-label="Framekiln"
      ><img src="assets/icon.svg" alt="" /><b>Framekiln</b></a
    >
    <${Status} />
    <ul>
      ${PANELS.map(
        ([name, label]) =>
          html`<li>
            <a href="#/${name}" aria-current=${current === name ? 'page' : undefined}>
              ${label}
              ${
                badges[name] > 0 &&
                html`<small class=${name === 'ended' ? 'bad' : ''}
                  >${number(badges[name])}${name === 'ended' ? ' failed' : ''}</small
                >`
              }
            </a>
          </li>`,
      )}
    </ul>
    <${NotifyButton} />
  </nav>`;
}

function Status() {
  const [kind, text] = statusNow();
  return html`<p class="status ${kind}" role="status"><span aria-hidden="true"></span>${text}</p>`;
}

function statusNow() {
  if (connection.value === 'gone') return ['gone', 'Daemon not reachable'];
  const state = live.value;
  if (state === null) return ['connecting', 'Connecting'];
  if (pauseReason.value !== null) return ['paused', 'Paused'];
  if (state.running.length > 0) return ['working', 'Working'];
  return state.counts.queued > 0 ? ['paused', 'Waiting'] : ['resting', 'Idle'];
}

function Banners() {
  const state = live.value;
  const reason = pauseReason.value;
  // There, the panel itself says so.
  const alerts = connection.value === 'gone' ? [] : (state?.alerts ?? []);
  const isSaid = route.value === 'now' && state?.running.length === 0 && state.counts.queued > 0;
  return html`${
    connection.value === 'gone' &&
    html`<div class="banner error" role="alert">
      <p>
        <b>The daemon does not answer.</b> ${state === null ? '' : 'The page shows the last known state. '}The
        daemon may have been stopped; the page reconnects by itself. Jobs resume from their last checkpoint.
      </p>
    </div>`
  }
  ${
    reason !== null &&
    !isSaid &&
    !alerts.some(({ code }) => code === 'DISK_READ_ONLY') &&
    connection.value !== 'gone' &&
    html`<div class="banner">
      <p>
        <b>${reason === 'queue paused' ? 'The queue is paused.' : `Work is ${reason}.`}</b> Checkpoints are
        kept.
      </p>
      ${state.queuePaused && html`<button onClick=${() => send('api/queue/resume')}>Resume the queue</button>`}
    </div>`
  }
  ${alerts.map(
    ({ code, level, message, remedy }) =>
      html`<div key=${code + message} class="banner ${level}" role=${level === 'error' ? 'alert' : 'status'}>
        <p><b>${message.replace(/\.?$/, '.')}</b> ${remedy}</p>
      </div>`,
  )}
  ${
    state !== null &&
    state.freeBytes !== null &&
    state.freeBytes < LOW_BYTES &&
    html`<div class="banner error" role="alert">
      <p>
        <b>The disk is almost full:</b> ${bytes(state.freeBytes)} left for finished videos. Jobs that do not
        fit wait until there is space.
      </p>
    </div>`
  }`;
}

function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      ({ id, text, kind, action, remove }) =>
        html`<div key=${id} class="toast ${kind}">
          <span>${text}</span>
          ${action && html`<button onClick=${action.run}>${action.label}</button>`}
          ${!action && html`<button class="close" aria-label="Close" onClick=${remove}>×</button>`}
        </div>`,
    )}
  </div>`;
}

const root = document.querySelector('#app');
root.replaceChildren();
render(html`<${App} />`, root);
effect(showInTab);
startNotifying();
effect(() => {
  if (route.value !== '') scrollTo(0, 0);
});
void connect();
