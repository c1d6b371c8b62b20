// Processing the source of a job again with another model or size. The former job and its output stay.
import { get, post } from './api.js';
import { html } from './html.js';
import { useEffect, useState } from './preact-hooks.js';
import { revision, toast } from './state.js';

export function AgainWith({ job }) {
  const [isOpen, setOpen] = useState(false);
  return html`<button aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>Again with …</button>
    ${isOpen && html`<${Form} job=${job} onDone=${() => setOpen(false)} />`}`;
}

function Form({ job, onDone }) {
  const [models, setModels] = useState([]);
  const [model, setModel] = useState(job.recipe.model);
  const [scale, setScale] = useState(String(job.recipe.scale));
  const [fault, setFault] = useState(null);
  useEffect(
    () =>
      void get('api/models').then(
        (answer) => setModels(answer.models),
        () => undefined,
      ),
    [],
  );
  const known = [...new Set([job.recipe.model, ...models, 'lanczos'])];
  const scales = [...new Set([String(job.recipe.scale), '2', '3', '4'])];
  const submit = async (event) => {
    event.preventDefault();
    const changes = {
      ...(model === job.recipe.model ? {} : { model }),
      ...(scale === String(job.recipe.scale) ? {} : { scale: Number(scale) }),
    };
    try {
      toast((await post(`api/jobs/${job.id}/again`, { changes })).sentence, { ms: 10_000 });
      revision.value++;
      onDone();
    } catch (error) {
      setFault(error.message);
    }
  };
  return html`<form class="card again" onSubmit=${submit}>
    <label class="field">
      <span>Model</span>
      <select value=${model} onChange=${({ target }) => setModel(target.value)}>
        ${known.map((each) => html`<option value=${each}>${each.split('/').at(-1)}</option>`)}
      </select>
    </label>
    <label class="field">
      <span>Scale</span>
      <select value=${scale} onChange=${({ target }) => setScale(target.value)}>
        ${scales.map((each) => html`<option value=${each}>${each}×</option>`)}
      </select>
    </label>
    <button class="primary" disabled=${model === job.recipe.model && scale === String(job.recipe.scale)}>
      Queue
    </button>
    ${fault !== null && html`<p class="bad" role="alert">${fault}</p>`}
  </form>`;
}
