// The settings: where each comes from, and a field to change it. Every change is saved at once and can be undone.
import { get } from './api.js';
import { html } from './html.js';
import { useEffect, useRef, useState } from './preact-hooks.js';
import { changeSettings } from './settings-api.js';
import { toast } from './state.js';
import { Fault, Filters, Loading } from './ui.js';

export function Settings() {
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [text, setText] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  const read = () => get('api/settings').then((found) => (setAnswer(found), setError(null)), setError);
  useEffect(() => void read(), []);
  if (answer === null)
    return error === null ? html`<${Loading} lines=${8} />` : html`<${Fault} error=${error} />`;
  const wanted = text.toLowerCase();
  const shown = answer.settings.filter(
    ({ key, description, origins }) =>
      `${key} ${description}`.toLowerCase().includes(wanted) &&
      (!onlyChanged || origins[0].place !== 'default'),
  );
  const groups = Map.groupBy(shown, ({ key }) => (key.includes('.') ? key.split('.')[0] : 'general'));
  return html`<header class="title">
      <div>
        <h1>Settings</h1>
        <p class="quiet">
          A change is saved in <code>${answer.file}</code> at once; comments in the file are kept.
        </p>
      </div>
    </header>
    ${answer.faults.map((fault) => html`<div class="banner error"><p>${fault}</p></div>`)}
    ${error !== null && html`<${Fault} error=${error} />`}
    <${Filters} label="Filter settings" text=${text} onText=${setText} group="Which settings">
      <button aria-pressed=${!onlyChanged} onClick=${() => setOnlyChanged(false)}>All</button>
      <button aria-pressed=${onlyChanged} onClick=${() => setOnlyChanged(true)}>Not default</button>
    <//>
    ${shown.length === 0 && html`<p class="none-found" role="status">No setting matches this filter.</p>`}
    ${[...groups].map(
      ([group, settings]) =>
        html`<section key=${group} class="card settings" aria-labelledby="settings-${group}">
          <h2 id="settings-${group}">${group}</h2>
          ${settings.map(
            (setting) =>
              html`<${Setting} key=${setting.key} setting=${setting} file=${answer.file} onSaved=${read} />`,
          )}
        </section>`,
    )}`;
}

function Setting({ setting, file, onSaved }) {
  const { key, description, field, needsRestart, isProtected, origins } = setting;
  const [fault, setFault] = useState(null);
  const [effective] = origins;
  const isDefault = effective.place === 'default';
  const isOwn = origins.some(({ place }) => place.startsWith(file));
  // A value of the file would have no effect.
  const isOverridden = effective.place === '--set' || effective.place.startsWith('environment');
  const save = async (change) => {
    setFault(null);
    try {
      const { sentences, previous } = await changeSettings([{ key, ...change }]);
      showSaved(sentences.join(' '), previous, onSaved);
    } catch (error) {
      setFault(error.message.replace(`${key}: `, ''));
    }
    await onSaved();
  };
  const id = `setting-${key}`;
  return html`<div class="setting ${isDefault ? '' : 'changed'}">
    <div>
      <label for=${id}><b>${key.split('.').at(-1)}</b></label>
      <p id="${id}-about">${description}</p>
    </div>
    <div class="value">
      <div class="entry">
        ${
          isProtected
            ? html`<span id=${id}>${isDefault ? 'not set' : 'set; the value is not shown'}</span>`
            : html`<${Field}
                id=${id}
                field=${field}
                value=${effective.value}
                isDisabled=${isOverridden}
                isInvalid=${fault !== null}
                onSave=${save}
              />`
        }
        ${
          isOwn &&
          !isProtected &&
          html`<button onClick=${() => save({ value: null })} aria-label="Reset ${key}">Reset</button>`
        }
      </div>
      ${fault !== null && html`<p class="bad" role="alert">${fault}</p>`}
      <small>${originText(setting)}</small>
      ${needsRestart && isOwn && html`<small class="warn">applies after a restart of the daemon</small>`}
      ${isProtected && html`<small>can only be changed in the file, because hooks run programs</small>`}
    </div>
  </div>`;
}

function originText({ variable, isProtected, origins }) {
  const [{ place, reason }] = origins;
  if (place === 'default') return html`default · <code>${variable}</code>`;
  const why = reason === null ? '' : `: ${reason}`;
  if (isProtected) return `from ${place}`;
  return `from ${place}${why}; default: ${shownValue(origins.at(-1).value)}`;
}

/** Says what was saved, with a button that takes it back. */
function showSaved(sentence, previous, onSaved) {
  const undo = async () => {
    remove();
    try {
      const { sentences } = await changeSettings(previous);
      toast(sentences.join(' '));
    } catch (error) {
      toast(error.message, { kind: 'error' });
    }
    await onSaved();
  };
  const remove = toast(sentence, { action: { label: 'Undo', run: undo }, ms: 8000 });
}

/** The field for a setting. It saves when the user leaves it, presses Enter or chooses something. */
function Field({ id, field, value, isDisabled, isInvalid, onSave }) {
  const input = useRef(null);
  const text = textOf(value, field);
  // After an invalid value, what the user has typed stays; so does what is being typed while the settings are read again.
  useEffect(() => {
    if (!isInvalid && input.current !== null) input.current.value = text;
  }, [text, isInvalid]);
  const common = {
    ...{ id, disabled: isDisabled, 'aria-describedby': `${id}-about`, 'aria-invalid': isInvalid },
  };
  if (field.kind === 'switch')
    return html`<input
      type="checkbox"
      role="switch"
      ...${common}
      checked=${value}
      onChange=${({ target }) => onSave({ value: target.checked })}
    />`;
  if (field.kind === 'choice')
    return html`<select
      ...${common}
      value=${value ?? ''}
      onChange=${({ target }) => onSave({ value: target.value === '' ? null : target.value })}
    >
      ${value === null && html`<option value="">not set</option>`}
      ${field.choices.map((each) => html`<option value=${each}>${each}</option>`)}
    </select>`;
  const save = ({ target }) => {
    if (target.value !== text) onSave(entered(target.value, field));
  };
  if (field.kind === 'yaml')
    return html`<textarea
      ...${common}
      ref=${input}
      rows=${Math.min(8, text.split('\n').length)}
      spellcheck=${false}
      placeholder="not set"
      onChange=${save}
    ></textarea>`;
  const isNumber = field.kind === 'number';
  return html`<input
    ...${common}
    ref=${input}
    type="text"
    inputmode=${isNumber ? (field.isWhole ? 'numeric' : 'decimal') : 'text'}
    spellcheck=${false}
    autocomplete="off"
    placeholder="not set"
    onChange=${save}
  />`;
}

/** An empty field stands for the default. */
function entered(text, { kind }) {
  if (text.trim() === '') return { value: null };
  if (kind === 'text') return { value: text.trim() };
  return { yaml: text };
}

function textOf(value, { kind }) {
  if (value === null) return '';
  if (kind === 'yaml' && typeof value === 'object')
    return JSON.stringify(value, null, Array.isArray(value) || Object.keys(value).length === 0 ? 0 : 2);
  return String(value);
}

function shownValue(value) {
  if (value === null) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
