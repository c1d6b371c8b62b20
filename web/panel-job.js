// One job: everything that is known about it.
import { AgainWith } from './again.js';
import { get } from './api.js';
import { Compare } from './compare.js';
import { bytes, clock, counted, duration, framesOf, nameAndFolder, rate, roughDuration } from './format.js';
import { html } from './html.js';
import { buttonsOf } from './panel-jobs.js';
import { LogLines } from './panel-log.js';
import { tookTime } from './panel-now.js';
import { useEffect, useState } from './preact-hooks.js';
import { commandJob } from './commands.js';
import { live, log, revision } from './state.js';
import { Chips, Facts, Fault, Loading, Progress, State } from './ui.js';

const MOMENTS = [
  [0.1, 'Beginning'],
  [0.5, 'Middle'],
  [0.9, 'End'],
];

export function JobPage({ id }) {
  const [stored, setStored] = useState(null);
  const [error, setError] = useState(null);
  const changed = revision.value;
  useEffect(() => {
    let isCurrent = true;
    get(`api/jobs/${id}`).then(
      (job) => isCurrent && (setStored(job), setError(null)),
      (fault) => isCurrent && setError(fault),
    );
    return () => {
      isCurrent = false;
    };
  }, [id, changed]);
  if (error !== null && stored === null) return html`<${Fault} error=${error} />`;
  if (stored === null) return html`<${Loading} />`;
  const job = live.value?.running.find((each) => each.id === stored.id) ?? stored;
  const { name, folder } = nameAndFolder(job.file);
  return html`<header class="title job">
      <div>
        <h1>${name}</h1>
        <p class="quiet">${folder === '' ? '' : `${folder}/ · `}job ${job.id}</p>
      </div>
      <${State} job=${job} />
    </header>
    ${
      job.error !== null &&
      html`<div class="banner error">
        <p><b>${job.error.code}</b> ${job.error.message}</p>
      </div>`
    }
    ${job.note !== null && html`<div class="banner"><p>${job.note}</p></div>`}
    ${job.warning !== null && html`<div class="banner"><p>This job ${job.warning}.</p></div>`}
    <${Picture} job=${job} name=${name} />
    ${job.state === 'running' && html`<${Progress} job=${job} />`}
    <div class="buttons">
      ${buttonsOf(job)}
      ${
        job.state === 'done' &&
        html`<a class="button" href="api/jobs/${job.id}/output" download>Download</a>
          <button onClick=${() => commandJob(job, 'retry')}>Process again</button>`
      }
      ${
        job.state === 'done' &&
        job.recipe.pipeline === 'dual-face' &&
        html`<a class="button" href="#/dual-face/${job.id}">People and shots</a>`
      }
      ${
        job.recipe.pipeline === 'upscale' &&
        html`<a class="button" href="#/try/${encodeURIComponent(job.file)}">Try models</a>`
      }
      ${
        job.recipe.pipeline === 'upscale' &&
        job.recipe.frameRate === undefined &&
        ['done', 'failed', 'cancelled'].includes(job.state) &&
        html`<${AgainWith} job=${job} />`
      }
    </div>
    <${Chips} recipe=${job.recipe} />
    <${Facts} facts=${factsOf(job)} />
    <${Report} report=${job.report} />
    <${History} history=${job.history} />
    <${JobLog} name=${name} />`;
}

function Picture({ job, name }) {
  const [moment, setMoment] = useState(0.5);
  const batch = live.value?.previews[job.id];
  const image = (side, which) => `api/jobs/${job.id}/preview?side=${side}&${which}`;
  if (job.state === 'done') {
    const which = `moment=${moment}`;
    const isStill = job.report?.isStill === true;
    return html`<${Compare} before=${image('before', which)} after=${image('after', which)} label=${name} />
      ${
        !isStill &&
        html`<div class="segments" role="group" aria-label="Moment">
          ${MOMENTS.map(
            ([at, label]) =>
              html`<button aria-pressed=${moment === at} onClick=${() => setMoment(at)}>${label}</button>`,
          )}
        </div>`
      }`;
  }
  if (job.state !== 'running' || batch === undefined) return null;
  return html`<${Compare}
    before=${image('before', `batch=${batch}`)}
    after=${image('after', `batch=${batch}`)}
    label=${name}
  />`;
}

function factsOf(job) {
  const { estimate, report } = job;
  const instant = (text) => (text === null ? null : clock(Date.parse(text)));
  return [
    ['Output', job.output],
    ['Size', report?.outputBytes ? bytes(report.outputBytes) : null],
    ['Frames', framesOf(job)],
    ['Speed', job.framesPerSecond === null ? null : `${rate(job.framesPerSecond)} fps`],
    ['Time left', job.secondsLeft === null ? null : roughDuration(job.secondsLeft)],
    [
      'Estimate',
      estimate?.seconds == null
        ? null
        : `about ${duration(estimate.seconds)}, ${estimate.basis === 'measurement' ? 'as measured on this machine' : `from ${counted(estimate.jobCount, 'earlier job')}`}`,
    ],
    ['Disk space', estimate?.diskBytes == null ? null : `about ${bytes(estimate.diskBytes)}`],
    ['Took', job.state === 'done' && job.startedAt ? tookTime(job) : null],
    ['Priority', job.priority === 0 ? null : job.priority],
    ['Attempts', job.attempts > 1 ? `${job.attempts} since the last checkpoint` : null],
    ['Queued', instant(job.createdAt)],
    ['Started', instant(job.startedAt)],
    ['Ended', instant(job.finishedAt)],
  ];
}

function Report({ report }) {
  if (report === null) return null;
  // The remarks also name tracks that were converted or dropped, and damage; here these have lines of their own.
  const remarks = report.remarks.filter(
    (remark) =>
      !(report.sourceDamage && remark.includes(report.sourceDamage)) &&
      !report.streams.some(({ reason }) => reason !== null && remark.endsWith(`: ${reason}`)),
  );
  const isEmpty =
    !report.sourceDamage && report.container === null && report.streams.length + remarks.length === 0;
  return html`<section class="card">
    <h2>Kept, converted and dropped</h2>
    <ul class="plain">
      ${report.sourceDamage && html`<li class="warn">${report.sourceDamage}</li>`}
      ${report.container !== null && html`<li>${report.container}</li>`}
      ${report.streams.map(
        ({ kind, codec, language, fate, reason }) =>
          html`<li>
            <span class="state ${fate}">${fate}</span> ${kind}
            (${[codec, language].filter(Boolean).join(', ')})${reason === null ? '' : `: ${reason}`}
          </li>`,
      )}
      ${remarks.map((remark) => html`<li>${remark}</li>`)}
      ${isEmpty && html`<li>Nothing was converted or dropped.</li>`}
    </ul>
  </section>`;
}

function History({ history }) {
  if (history.length === 0) return null;
  return html`<section class="card">
    <h2>History</h2>
    <ul class="plain">
      ${history.map(({ at, message }) => html`<li><time>${clock(Date.parse(at))}</time> ${message}</li>`)}
    </ul>
  </section>`;
}

function JobLog({ name }) {
  const entries = log.value.filter(({ prefix }) => prefix === name);
  if (entries.length === 0) return null;
  return html`<section>
    <h2>Log</h2>
    <${LogLines} entries=${entries.slice(-50)} hidePrefix=${true} />
  </section>`;
}
