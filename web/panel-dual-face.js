// Split screens: who is in them, what each part shows, and corrections by hand, which ask for another drawing.
import { get, post } from './api.js';
import { edit, newDraft, requestOf, undo } from './draft.js';
import { counted, nameAndFolder } from './format.js';
import { html } from './html.js';
import { useEffect, useState } from './preact-hooks.js';
import { People } from './split-screen-people.js';
import { Shots } from './split-screen-shots.js';
import { revision, route, toast } from './state.js';
import { Empty, Fault, Loading, State } from './ui.js';
import { useJobs } from './use-jobs.js';

const LISTED = 50;

export function DualFace() {
  const id = route.value.split('/')[1];
  return id === undefined ? html`<${List} />` : html`<${SplitScreen} key=${id} id=${id} />`;
}

function List() {
  const ended = useJobs({ list: 'ended', pipeline: 'dual-face', limit: LISTED });
  const waiting = useJobs({ list: 'queue', pipeline: 'dual-face', limit: LISTED });
  const error = ended.error ?? waiting.error;
  const jobs = [...(waiting.jobs ?? []), ...(ended.jobs ?? [])];
  return html`<header class="title"><h1>Dual-face</h1></header>
    ${error !== null && html`<${Fault} error=${error} />`}
    ${
      (ended.jobs === null || waiting.jobs === null) && error === null
        ? html`<${Loading} />`
        : jobs.length === 0
          ? html`<${Empty} title="No split screens yet"
              ><p>
                Choose the recipe dual-face when you add a video of two people. Here you can see who was
                found, and correct who is shown where.
              </p>
              <p><a class="button primary" href="#/add">Add files</a></p><//
            >`
          : html`<ul class="screens">
              ${jobs.map((job) => html`<li key=${job.id}><${Card} job=${job} /></li>`)}
            </ul>`
    }`;
}

function Card({ job }) {
  const { name } = nameAndFolder(job.file);
  const { people, spans = [] } = job.recipe;
  const isCorrected = people !== undefined || spans.length > 0;
  const isDone = job.state === 'done';
  return html`<a class="card screen" href="#/${isDone ? 'dual-face' : 'job'}/${job.id}">
    ${isDone && html`<img src="api/jobs/${job.id}/preview?side=after&moment=0.5" alt="" loading="lazy" />`}
    <span class="name"><b>${name}</b><small>job ${job.id}${isCorrected ? ' · corrected' : ''}</small></span>
    <${State} job=${job} />
  </a>`;
}

function SplitScreen({ id }) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    let isCurrent = true;
    Promise.all([get(`api/jobs/${id}`), get(`api/jobs/${id}/split-screen`)]).then(
      ([job, screen]) => isCurrent && setFound({ job, screen }),
      (fault) => isCurrent && setError(fault),
    );
    return () => {
      isCurrent = false;
    };
  }, [id]);
  if (error !== null)
    return html`<h1 class="hidden">Dual-face</h1>
      <${Fault} error=${error} />`;
  if (found === null)
    return html`<h1 class="hidden">Dual-face</h1>
      <${Loading} />`;
  return html`<${Editor} ...${found} />`;
}

function Editor({ job, screen }) {
  const [draft, setDraft] = useState(() => newDraft(job.recipe));
  const [isSending, setSending] = useState(false);
  const [fault, setFault] = useState(null);
  const { name } = nameAndFolder(job.file);
  const change = (what) => setDraft((old) => edit(old, what));
  const back = () => {
    setFault(null);
    setDraft(undo);
  };
  const redraw = async () => {
    setSending(true);
    setFault(null);
    try {
      const { sentence } = await post(`api/jobs/${job.id}/again`, { changes: requestOf(draft.now) });
      toast(sentence, { ms: 10_000 });
      revision.value++;
      setDraft(({ now }) => ({ now, earlier: [] }));
    } catch (error) {
      setFault(error);
    }
    setSending(false);
  };
  const steps = draft.earlier.length;
  useEffect(() => {
    const onKeyDown = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== 'z') return;
      if (event.target.matches('input:not([type=checkbox])')) return;
      event.preventDefault();
      back();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return html`<div class="split-screen">
    <header class="title job">
      <div>
        <h1>${name}</h1>
        <p class="quiet">
          <a href="#/job/${job.id}">Job ${job.id}</a> · <a href="#/dual-face">All split screens</a>
        </p>
      </div>
      <${State} job=${job} />
    </header>
    <${People}
      job=${job}
      screen=${screen}
      people=${draft.now.people}
      onChange=${(people) => change({ people })}
    />
    <${Shots} job=${job} screen=${screen} spans=${draft.now.spans} onChange=${(spans) => change({ spans })} />
    ${fault !== null && html`<div class="banner error" role="alert"><p>${fault.message}</p></div>`}
    <div class="card corrections ${steps === 0 ? '' : 'open'}">
      <p role="status">
        ${
          steps === 0
            ? 'Corrections make a new job without detecting faces again; the present video stays.'
            : counted(steps, 'change')
        }
      </p>
      <div class="buttons">
        <button onClick=${back} disabled=${steps === 0}>Undo</button>
        <button class="primary" onClick=${redraw} disabled=${steps === 0 || isSending}>
          ${isSending ? 'Queueing …' : 'Redraw'}
        </button>
      </div>
    </div>
  </div>`;
}
