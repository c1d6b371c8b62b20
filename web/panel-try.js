// Trying models: one frame of a file through several of them, side by side, with the time that each needs.
import { get, post } from './api.js';
import { Compare } from './compare.js';
import { nameAndFolder, rate, roughDuration } from './format.js';
import { html } from './html.js';
import { useEffect, useState } from './preact-hooks.js';
import { changeSettings } from './settings-api.js';
import { route, toast } from './state.js';
import { Fault, Loading } from './ui.js';

const POLL_MS = 1000;

export function Try() {
  const [run, setRun] = useState(null);
  const [error, setError] = useState(null);
  const isRunning = run?.state === 'running';
  useEffect(() => void get('api/try').then(setRun, setError), []);
  useEffect(() => {
    if (!isRunning) return undefined;
    // A failed poll is repeated with the next one.
    const timer = setInterval(() => get('api/try').then(setRun, () => undefined), POLL_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  const ask = (path, body) => {
    setError(null);
    post(path, body).then(setRun, setError);
  };
  return html`<header class="title">
      <div>
        <h1>Try</h1>
        <p class="quiet">
          Compare models on one frame or a short clip before you run a whole film. Nothing is queued.
        </p>
      </div>
    </header>
    <${Choice} run=${run} onStart=${(body) => ask('api/try', body)} onCancel=${() => ask('api/try/cancel')} />
    ${error !== null && html`<${Fault} error=${error} />`} ${run !== null && html`<${Run} run=${run} />`}`;
}

function Choice({ run, onStart, onCancel }) {
  // A link from a job names its file.
  const [file, setFile] = useState(() => route.value.split('/').slice(1).join('/'));
  const [at, setAt] = useState('');
  const [scale, setScale] = useState('');
  const [clip, setClip] = useState('');
  const [models, setModels] = useState(null);
  const [left, setLeft] = useState([]);
  const [fault, setFault] = useState(null);
  useEffect(
    () =>
      void get('api/models').then(
        (answer) => setModels(answer.models),
        () => setModels([]),
      ),
    [],
  );
  const isRunning = run?.state === 'running';
  const submit = (event) => {
    event.preventDefault();
    const seconds = parseTime(at);
    if (seconds === undefined) return setFault('Expected a time, such as 83, 1:23 or 1:02:03.5.');
    setFault(null);
    const wanted = models.filter((model) => !left.includes(model));
    onStart({
      ...{ file, atSeconds: seconds, models: wanted.length === 0 ? ['lanczos'] : wanted },
      scale: scale === '' ? null : Number(scale),
      seconds: clip === '' ? null : Number(clip),
    });
    return undefined;
  };
  if (models === null) return html`<${Loading} lines=${2} />`;
  const toggle = (model) => () =>
    setLeft(left.includes(model) ? left.filter((each) => each !== model) : [...left, model]);
  return html`<form class="card try-form" onSubmit=${submit}>
    <${FileField} file=${file} onFile=${setFile} />
    <label class="field">
      <span>Time</span>
      <input
        type="text"
        value=${at}
        placeholder="middle"
        aria-invalid=${fault !== null}
        aria-describedby="try-time"
        onInput=${({ target }) => setAt(target.value)}
      />
      <small id="try-time" class=${fault === null ? '' : 'bad'}>${fault ?? 'such as 1:23'}</small>
    </label>
    <label class="field">
      <span>Scale</span>
      <select value=${scale} onChange=${({ target }) => setScale(target.value)}>
        <option value="">default</option>
        ${[2, 3, 4].map((each) => html`<option value=${each}>${each}×</option>`)}
      </select>
    </label>
    <label class="field">
      <span>Clip</span>
      <select value=${clip} onChange=${({ target }) => setClip(target.value)}>
        <option value="">none</option>
        ${[1, 3, 10].map((each) => html`<option value=${each}>${each} s</option>`)}
      </select>
    </label>
    <fieldset class="models">
      <legend>Models</legend>
      ${models.map(
        (model) =>
          html`<label key=${model}>
            <input type="checkbox" checked=${!left.includes(model)} onChange=${toggle(model)} />
            ${shortName(model)}
          </label>`,
      )}
      ${
        models.length === 0 &&
        html`<p class="quiet">
          No model is installed. To install the default model:
          <code>framekiln models pull realesr-general-x4v3</code>
        </p>`
      }
      <small>Plain resampling (lanczos) is always shown, to compare with.</small>
    </fieldset>
    <div class="buttons">
      <button class="primary" disabled=${isRunning || file === ''}>${isRunning ? 'Trying …' : 'Try'}</button>
      ${isRunning && html`<button type="button" onClick=${onCancel}>Cancel</button>`}
    </div>
  </form>`;
}

function FileField({ file, onFile }) {
  const [files, setFiles] = useState([]);
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(
      () =>
        get(`api/sources?${new URLSearchParams({ text: file })}`).then(
          (answer) => isCurrent && setFiles(answer.files),
          () => undefined,
        ),
      200,
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [file]);
  return html`<label class="field file">
    <span>File</span>
    <input
      type="text"
      list="try-files"
      required
      value=${file}
      placeholder="a file in input/, or a path"
      autocomplete="off"
      onInput=${({ target }) => onFile(target.value)}
    />
    <datalist id="try-files">
      ${files.map((each) => html`<option key=${each} value=${each}></option>`)}
    </datalist>
  </label>`;
}

function Run({ run }) {
  const { state, file, frame, results, failures, error } = run;
  if (state === 'none') return null;
  const { name } = nameAndFolder(file);
  if (state === 'failed')
    return html`<div class="banner error" role="alert">
      <p><b>${name} could not be tried.</b> ${error}</p>
    </div>`;
  const waiting =
    frame === null
      ? []
      : frame.models.filter((model) => ![...results, ...failures].some((each) => each.model === model));
  return html`<section class="card tried" aria-label="Results">
    <header class="title">
      <h2>${name}</h2>
      ${frame !== null && html`<p class="quiet">${describeFrame(frame)}</p>`}
      ${frame?.advice && html`<p>This file ${frame.advice}.</p>`}
    </header>
    ${frame === null && state === 'running' && html`<p role="status">Decoding the frame …</p>`}
    ${results.length > 0 && html`<${Results} key=${run.run} run=${run} />`}
    ${failures.map(
      ({ model, message }) => html`<p class="bad" role="alert"><b>${shortName(model)}</b>: ${message}</p>`,
    )}
    ${
      state === 'running' &&
      waiting.length > 0 &&
      html`<p role="status" class="quiet">
        ${shortName(waiting[0])} is running
        …${waiting.length > 1 ? ` Then: ${waiting.slice(1).map(shortName).join(', ')}.` : ''}
      </p>`
    }
    ${state === 'cancelled' && html`<p class="quiet">Cancelled.</p>`}
  </section>`;
}

function describeFrame({ atSeconds, durationSeconds, width, height, scale }) {
  const place =
    atSeconds === null
      ? []
      : [`at ${clockOf(atSeconds)}${durationSeconds === null ? '' : ` of ${clockOf(durationSeconds)}`}`];
  const size = `${width}×${height} → ${Math.round(width * scale)}×${Math.round(height * scale)}`;
  return [...place, size].join(' · ');
}

function Results({ run: { run, frame, results } }) {
  const [chosen, setChosen] = useState(null);
  const [other, setOther] = useState('lanczos');
  const [zoom, setZoom] = useState(frame.detail);
  const newest = results.at(-1).model;
  const right =
    results.find(({ model }) => model === chosen) ?? results.find(({ model }) => model === newest);
  const left = results.find(({ model }) => model === other) ?? results[0];
  const image = (result) => `api/try/${run}/images/${encodeURIComponent(result.image)}`;
  return html`<${Compare}
      before=${image(left)}
      after=${image(right)}
      label="the same frame"
      names=${[titleOf(left), titleOf(right)]}
      zoom=${zoom}
    />
    <div class="try-view">
      <div class="segments" role="group" aria-label="View">
        <button aria-pressed=${zoom !== null} onClick=${() => setZoom(frame.detail)}>Detail</button>
        <button aria-pressed=${zoom === null} onClick=${() => setZoom(null)}>Whole frame</button>
      </div>
      ${zoom !== null && html`<${Place} zoom=${zoom} onZoom=${setZoom} />`}
      <label class="inline"
        >Left side
        <select value=${left.model} onChange=${({ target }) => setOther(target.value)}>
          ${results.map((result) => html`<option value=${result.model}>${titleOf(result)}</option>`)}
        </select>
      </label>
    </div>
    ${
      right.clip !== null &&
      html`<figure class="clip">
        <video
          key=${right.clip}
          src=${`api/try/${run}/clips/${encodeURIComponent(right.clip)}`}
          controls
          loop
          muted
          autoplay=${!matchMedia('(prefers-reduced-motion: reduce)').matches}
          playsinline
          aria-label="The source beside ${titleOf(right)}"
        ></video>
        <figcaption>Left: source (lanczos). Right: ${titleOf(right)}.</figcaption>
      </figure>`
    }
    <ul class="results">
      ${results.map(
        (result) =>
          html`<li key=${result.model} class=${result === right ? 'chosen' : ''}>
            <${ResultRow}
              result=${result}
              scale=${frame.scale}
              isChosen=${result === right}
              onChoose=${() => setChosen(result.model)}
            />
          </li>`,
      )}
    </ul>`;
}

/** Moves the part that is shown. */
function Place({ zoom, onZoom }) {
  const slider = (axis, label) =>
    html`<label class="inline"
      >${label}
      <input
        type="range"
        min="0"
        max="1"
        step="0.01"
        value=${zoom[axis]}
        onInput=${({ target }) => onZoom({ ...zoom, [axis]: Number(target.value) })}
      />
    </label>`;
  return html`<div class="place">${slider('x', 'Across')} ${slider('y', 'Down')}</div>`;
}

function ResultRow({ result, scale, isChosen, onChoose }) {
  const { framesPerSecond, seconds, summary, model } = result;
  return html`<div>
      <b>${titleOf(result)}</b>
      <small>${summary}</small>
    </div>
    <dl>
      ${
        framesPerSecond !== null &&
        html`<div>
          <dt>Speed</dt>
          <dd>${rate(framesPerSecond)} fps</dd>
        </div>`
      }
      <div>
        <dt>Whole file</dt>
        <dd>${seconds === null ? 'not known' : `about ${roughDuration(seconds)}`}</dd>
      </div>
    </dl>
    <div class="buttons">
      <button aria-pressed=${isChosen} onClick=${onChoose} aria-label="Compare: ${titleOf(result)}">
        Compare
      </button>
      <button onClick=${() => use(model, scale)} aria-label="Use this: ${titleOf(result)}">Use this</button>
    </div>`;
}

/** Makes a model the default recipe for files that are queued from now on. */
async function use(model, scale) {
  try {
    const { settings } = await get('api/settings');
    const pipeline = settings.find(({ key }) => key === 'recipe.pipeline').origins[0].value;
    const changes = [
      ...(pipeline !== 'upscale' ? [{ key: 'recipe.pipeline', value: 'upscale' }] : []),
      { key: 'recipe.model', value: model },
      { key: 'recipe.size', value: null },
      { key: 'recipe.scale', value: scale },
    ];
    const { previous } = await changeSettings(changes);
    const undo = () => {
      remove();
      changeSettings(previous).then(
        () => toast('The earlier recipe applies again.'),
        (error) => toast(error.message, { kind: 'error' }),
      );
    };
    const remove = toast(`New files use ${shortName(model)} at ${scale}×.`, {
      ...{ action: { label: 'Undo', run: undo }, ms: 10_000 },
    });
  } catch (error) {
    toast(error.message, { kind: 'error', ms: 10_000 });
  }
}

function titleOf({ model }) {
  return model === 'lanczos' ? 'Source (lanczos)' : shortName(model);
}

function shortName(model) {
  return model
    .split('/')
    .at(-1)
    .replace(/\.onnx$/, '');
}

/** Seconds of a time such as `1:23`; null for none, undefined for something else. */
function parseTime(text) {
  if (text.trim() === '') return null;
  const match = /^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (match === null) return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

function clockOf(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = (seconds % 60).toFixed(1).padStart(4, '0');
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}
