// What is happening: the running jobs, what comes next, and what was finished last.
import { cancelLater, commandJob, send } from './commands.js';
import { Compare } from './compare.js';
import { useJobs } from './use-jobs.js';
import { clock, counted, duration, framesOf, nameAndFolder, number, rate, roughDuration } from './format.js';
import { html } from './html.js';
import { Drop } from './panel-add.js';
import { useEffect, useState } from './preact-hooks.js';
import { live, liveAtMs, log, nowMs, pauseReason } from './state.js';
import { Chips, Loading, Progress } from './ui.js';

const STAGES = {
  probe: 'Reading the headers',
  index: 'Indexing the frames',
  analysis: 'Analysing the video',
  frames: 'Processing the frames',
  mux: 'Joining the segments',
  verify: 'Verifying every frame',
};

export function Now() {
  const state = live.value;
  if (state === null) return html`<${Loading} />`;
  const { running, counts } = state;
  return html`<h1 class="hidden">Now</h1>
    ${running.map((job) => html`<${RunningJob} key=${job.id} job=${job} batch=${state.previews[job.id]} />`)}
    ${running.length === 0 && html`<${Idle} counts=${counts} />`}
    <div class="columns">
      <${Short} title="Next" list="queue" state="queued" all="queue" count=${counts.queued} />
      <${Short}
        title="Recently finished"
        list="ended"
        all="ended"
        count=${counts.done + counts.failed + counts.cancelled}
      />
    </div>`;
}

function Idle({ counts }) {
  const { jobs } = useJobs({ list: 'queue', state: 'queued', limit: 1 });
  const isReadOnly = live.value.alerts.some(({ code }) => code === 'DISK_READ_ONLY');
  // The message above says which disk.
  const reason = isReadOnly && pauseReason.value !== null ? 'paused' : pauseReason.value;
  if (counts.queued > 0 && reason !== null)
    return html`<section class="card idle">
      <h2>${reason === 'queue paused' ? 'The queue is paused' : sentence(reason)}</h2>
      <p>${counted(counts.queued, 'job')} ${counts.queued === 1 ? 'waits' : 'wait'}. Checkpoints are kept.</p>
      ${
        reason === 'queue paused' &&
        html`<button class="primary" onClick=${() => send('api/queue/resume')}>Resume the queue</button>`
      }
    </section>`;
  if (counts.queued > 0)
    return html`<section class="card idle" role="status">
      <h2>Waiting to start</h2>
      <p>${jobs?.[0]?.note?.replace(/^waiting: /, '') ?? `${counted(counts.queued, 'job')} in the queue.`}</p>
    </section>`;
  return html`<section class="card idle">
    <h2>Nothing to do</h2>
    <p>Drop a video or a photo here, or copy it to <code>${live.value.home}/input</code>.</p>
    <${Drop} />
  </section>`;
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function RunningJob({ job, batch }) {
  const { name, folder } = nameAndFolder(job.file);
  const shownBatch = useSlow(batch, 20_000);
  const image = (side) => `api/jobs/${job.id}/preview?side=${side}&batch=${shownBatch}`;
  return html`<article class="card running" aria-labelledby="job-${job.id}">
    <div class="picture">
      ${
        shownBatch === undefined
          ? html`<div class="compare none"><p>The comparison appears after the first batch.</p></div>`
          : html`<${Compare} before=${image('before')} after=${image('after')} label=${name} />`
      }
    </div>
    <div class="details">
      <header>
        <h2 id="job-${job.id}"><a href="#/job/${job.id}">${name}</a></h2>
        ${folder !== '' && html`<p class="quiet">${folder}/</p>`}
        <${Chips} recipe=${job.recipe} />
      </header>
      <div>
        <p class="big">
          ${job.percent !== null && html`<b>${job.percent}</b> % `}
          <span class="quiet">${STAGES[job.stage] ?? 'Starting'}</span>
        </p>
        <${Progress} job=${job} />
      </div>
      <${Figures} job=${job} />
      <p class="engine quiet">${engineOf(name)}</p>
      <div class="buttons">
        <button onClick=${() => commandJob(job, 'pause')}>Pause</button>
        <button onClick=${() => cancelLater(job)}>Cancel</button>
        <a class="button" href="#/job/${job.id}">Details</a>
      </div>
    </div>
  </article>`;
}

function Figures({ job }) {
  const ago = (nowMs.value - liveAtMs.value) / 1000;
  const left = job.secondsLeft === null ? null : Math.max(0, job.secondsLeft - ago);
  const frames = framesOf(job) ?? '–';
  const isLast = job.stage === 'mux' || job.stage === 'verify';
  const leftText = isLast ? 'almost done' : left === null ? 'not known yet' : roughDuration(left);
  return html`<dl class="figures">
    <div>
      <dt>Time left</dt>
      <dd>${leftText}</dd>
    </div>
    <div>
      <dt>Ends</dt>
      <dd>${left === null || isLast ? '–' : clock(nowMs.value + left * 1000)}</dd>
    </div>
    <div>
      <dt>Speed</dt>
      <dd>${job.framesPerSecond === null ? '–' : `${rate(job.framesPerSecond)} fps`}</dd>
    </div>
    <div>
      <dt>Frames</dt>
      <dd>${frames}</dd>
    </div>
  </dl>`;
}

/** What the log says about the engine of a job, such as `realesr-general-x4v3 on the CPU engine …`. */
function engineOf(name) {
  const entry = log.value.findLast(
    ({ prefix, message }) => prefix === name && /\b(engine|onnxruntime|CUDA|Lanczos)\b/i.test(message),
  );
  return entry?.message ?? '';
}

/** A value that changes at most every so often, as each preview costs a second of a processor. */
function useSlow(value, ms) {
  const [shown, setShown] = useState({ value, atMs: Date.now() });
  useEffect(() => {
    if (value === shown.value) return;
    const waitMs = shown.value === undefined ? 0 : Math.max(0, shown.atMs + ms - Date.now());
    const timer = setTimeout(() => setShown({ value, atMs: Date.now() }), waitMs);
    return () => clearTimeout(timer);
  }, [value, shown]);
  return shown.value;
}

/** The first jobs of a list. */
function Short({ title, list, state, all, count }) {
  const { jobs } = useJobs({ list, state, limit: 5 });
  if (count === 0) return null;
  return html`<section class="card short">
    <header>
      <h2>${title}</h2>
      <a href="#/${all}">All ${number(count)}</a>
    </header>
    ${
      jobs === null
        ? html`<${Loading} lines=${3} />`
        : html`<ul>
            ${jobs.map((job) => html`<li key=${job.id}><${ShortRow} job=${job} /></li>`)}
          </ul>`
    }
  </section>`;
}

function ShortRow({ job }) {
  const { name } = nameAndFolder(job.file);
  const seconds = job.estimate?.seconds;
  const aside =
    job.state === 'queued'
      ? seconds == null
        ? ''
        : `about ${roughDuration(seconds)}`
      : job.state === 'done'
        ? `in ${tookTime(job)}`
        : job.state;
  return html`<a class="row-link" href="#/job/${job.id}">
    <span class="dot ${job.state}"></span><span class="name">${name}</span><span class="quiet">${aside}</span>
  </a>`;
}

/** Time from the first start of a job to its end. */
export function tookTime({ startedAt, finishedAt }) {
  return duration(Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000));
}
