// Adding files: they are sent in one piece each, and resumed where they stopped.
import { get, token } from './api.js';
import { bytes, recipeParts } from './format.js';
import { html } from './html.js';
import { useEffect, useState } from './preact-hooks.js';
import { signal } from './signals.js';
import { connection } from './state.js';

/** Files of this page that are being sent, were sent or failed. */
const uploads = signal([]);
/** The folder in input/ that selects the recipe. */
const folder = signal('');

const RETRY_MS = 3000;
let isSending = false;
let uploadCount = 0;

export function Add() {
  return html`<header class="title"><h1>Add files</h1></header>
    <${Drop} />
    <${UploadList} />
    <${Folders} />`;
}

/** Where files can be dropped or chosen. */
export function Drop() {
  const [isOver, setOver] = useState(false);
  const over = (value) => (event) => {
    event.preventDefault();
    setOver(value);
  };
  const drop = (event) => {
    over(false)(event);
    add(event.dataTransfer.files);
  };
  const choose = ({ target }) => {
    add(target.files);
    target.value = '';
  };
  return html`<label
    class="drop ${isOver ? 'over' : ''}"
    onDragOver=${over(true)}
    onDragLeave=${over(false)}
    onDrop=${drop}
  >
    <b>Drop videos or photos here</b>
    <span>or choose them</span>
    <input type="file" multiple accept="video/*,image/*,.mkv,.ts,.m2ts,.mxf" onChange=${choose} />
  </label>`;
}

function Folders() {
  const [folders, setFolders] = useState(null);
  useEffect(
    () =>
      void get('api/folders').then(
        (answer) => setFolders(answer.folders),
        () => undefined,
      ),
    [],
  );
  if (folders === null) return null;
  return html`<fieldset class="folders">
    <legend>Recipe</legend>
    ${folders.map(
      ({ name, recipe }) =>
        html`<label key=${name}>
          <input
            type="radio"
            name="folder"
            checked=${folder.value === name}
            onChange=${() => (folder.value = name)}
          />
          <b>${name === '' ? 'Default' : name}</b><small>${recipeParts(recipe).join(' · ')}</small>
        </label>`,
    )}
  </fieldset>`;
}

export function UploadList() {
  if (uploads.value.length === 0) return null;
  return html`<section class="card uploads" aria-live="polite">
    <h2>Uploads</h2>
    <ul>
      ${uploads.value.map((each) => html`<li key=${each.id}><${UploadRow} upload=${each} /></li>`)}
    </ul>
  </section>`;
}

function UploadRow({ upload: { name, size, sent, state, message } }) {
  const percent = Math.floor((sent / size) * 100);
  const text = {
    waiting: 'Waiting',
    sending: `${percent} % of ${bytes(size)}`,
    interrupted: 'Interrupted; retrying',
    done: `Saved as input/${message}; queued once it has been checked`,
    failed: message,
  }[state];
  return html`<b>${name}</b>
    <span class=${state === 'failed' ? 'bad' : 'quiet'}>${text}</span>
    ${
      state === 'sending' &&
      html`<div class="progress" role="progressbar" aria-label="Upload of ${name}" aria-valuenow=${percent}>
        <span style=${{ width: `${percent}%` }}></span>
      </div>`
    }`;
}

/** Puts files in line to be sent. */
export function add(files) {
  const added = Array.from(files, (file) => ({
    ...{ id: ++uploadCount, file, name: file.name, size: file.size, folder: folder.value },
    ...{ sent: 0, state: 'waiting', message: '' },
  }));
  uploads.value = [...uploads.value, ...added];
  if (added.length > 0 && location.hash !== '#/add') location.hash = '#/add';
  void sendAll();
}

async function sendAll() {
  if (isSending) return;
  isSending = true;
  for (;;) {
    const next = uploads.value.find(({ state }) => state === 'waiting' || state === 'interrupted');
    if (next === undefined) break;
    await sendOne(next);
  }
  isSending = false;
}

async function sendOne({ id, file, name, size, folder: into }) {
  const set = (change) => {
    uploads.value = uploads.value.map((each) => (each.id === id ? { ...each, ...change } : each));
  };
  if (size === 0) return set({ state: 'failed', message: 'The file is empty.' });
  const query = new URLSearchParams({ name, folder: into, size, modifiedAtMs: file.lastModified });
  try {
    const { received } = await get(`api/uploads?${query}`);
    set({ state: 'sending', sent: received });
    query.set('offset', received);
    const answer = await put(`api/uploads?${query}`, file.slice(received), (sent) =>
      set({ sent: received + sent }),
    );
    if (answer.file === null) set({ state: 'interrupted' });
    else set({ state: 'done', sent: size, message: answer.file });
  } catch (error) {
    // 409: the daemon has not noticed yet that the last connection is gone.
    if (error.status !== 0 && error.status !== 409) return set({ state: 'failed', message: error.message });
    set({ state: 'interrupted' });
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Sends bytes. `fetch` does not tell how far it is. */
function put(path, body, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', path);
    request.responseType = 'json';
    request.setRequestHeader('authorization', `Bearer ${token.value ?? ''}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onerror = () => reject(Object.assign(new Error('The daemon does not answer.'), { status: 0 }));
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else
        reject(
          Object.assign(new Error(request.response?.error?.message ?? 'The upload failed.'), {
            status: request.status,
          }),
        );
    };
    request.send(body);
  });
}

// Anywhere on the page.
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  if (event.target.closest?.('.drop') === null) add(event.dataTransfer.files);
});
addEventListener('beforeunload', (event) => {
  if (isSending && connection.value === 'open') event.preventDefault();
});
