// The settings, to read.
import { get } from './api.js';
import { html } from './html.js';
import { useEffect, useState } from './preact-hooks.js';
import { Fault, Filters, Loading } from './ui.js';

export function Settings() {
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [text, setText] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  useEffect(() => void get('api/settings').then(setAnswer, setError), []);
  if (error !== null) return html`<${Fault} error=${error} />`;
  if (answer === null) return html`<${Loading} lines=${8} />`;
  const wanted = text.toLowerCase();
  const shown = answer.settings.filter(
    ({ key, description, origins }) =>
      `${key} ${description}`.toLowerCase().includes(wanted) &&
      (!onlyChanged || origins[0].place !== 'default'),
  );
  const groups = Map.groupBy(shown, ({ key }) => (key.includes('.') ? key.split('.')[0] : 'general'));
  return html`<header class="title"><h1>Settings</h1></header>
    <p class="quiet">
      To change a setting: <code>framekiln config set KEY VALUE</code>, or edit <code>${answer.file}</code>.
      Changes to <code>recipe</code> and <code>intake.folders</code> apply to files queued from then on, and
      other changes from the next job at the latest; changes to <code>intake.polling</code>,
      <code>log.level</code>, <code>page.enabled</code>, <code>page.host</code> and
      <code>page.port</code> require a restart of the daemon.
    </p>
    ${answer.faults.map((fault) => html`<div class="banner error"><p>${fault}</p></div>`)}
    <${Filters} label="Filter settings" text=${text} onText=${setText} group="Which settings">
      <button aria-pressed=${!onlyChanged} onClick=${() => setOnlyChanged(false)}>All</button>
      <button aria-pressed=${onlyChanged} onClick=${() => setOnlyChanged(true)}>Not default</button>
    <//>
    ${shown.length === 0 && html`<p class="none-found" role="status">No setting matches this filter.</p>`}
    ${[...groups].map(
      ([group, settings]) =>
        html`<section key=${group} class="card settings">
          <h2>${group}</h2>
          ${settings.map((setting) => html`<${Setting} key=${setting.key} setting=${setting} />`)}
        </section>`,
    )}`;
}

function Setting({ setting: { key, description, variable, origins } }) {
  const [effective] = origins;
  const standard = origins.at(-1);
  const isDefault = effective.place === 'default';
  return html`<div class="setting ${isDefault ? '' : 'changed'}">
    <div>
      <b>${key.split('.').at(-1)}</b>
      <p>${description}</p>
    </div>
    <div class="value">
      <code title=${variable}>${shownValue(effective.value)}</code>
      <small
        >${isDefault ? 'default' : `from ${effective.place}${effective.reason === null ? '' : `: ${effective.reason}`}; default ${shownValue(standard.value)}`}</small
      >
    </div>
  </div>`;
}

function shownValue(value) {
  if (value === null) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
