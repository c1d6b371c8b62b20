// The machine: its load, and the checks of `framekiln doctor`.
import { get, post } from './api.js';
import { bytes, clock, counted, duration } from './format.js';
import { html } from './html.js';
import { useEffect, useState } from './preact-hooks.js';
import { History } from './plots.js';
import { connection } from './state.js';
import { Empty, Facts, Fault, Loading } from './ui.js';

const REFRESH_MS = 5000;

export function Machine() {
  const [machine, setMachine] = useState(null);
  const [error, setError] = useState(null);
  const isOpen = connection.value === 'open';
  useEffect(() => {
    if (!isOpen) return undefined;
    const read = () => get('api/machine').then((found) => (setMachine(found), setError(null)), setError);
    void read();
    const timer = setInterval(read, REFRESH_MS);
    return () => clearInterval(timer);
  }, [isOpen]);
  if (machine === null) return error === null ? html`<${Loading} />` : html`<${Fault} error=${error} />`;
  const { processor, cores, load, memoryBytes, freeMemoryBytes, daemonBytes, uptimeSeconds, disks } = machine;
  const used = memoryBytes - freeMemoryBytes;
  return html`<header class="title"><h1>Machine</h1></header>
    <div class="meters">
      <${Meter}
        name="Processor"
        share=${load / cores}
        value="load ${load.toFixed(1)} on ${counted(cores, 'core')}"
      />
      <${Meter}
        name="Memory"
        share=${used / memoryBytes}
        value="${bytes(freeMemoryBytes)} of ${bytes(memoryBytes)} free"
      />
    </div>
    <${Facts}
      facts=${[
        ['Processor', processor],
        ['Daemon', `${bytes(daemonBytes)} of memory, running for ${duration(uptimeSeconds)}`],
        ...disks.map(({ folder, freeBytes }) => [
          folder,
          freeBytes === null ? 'missing' : `${bytes(freeBytes)} free`,
        ]),
      ]}
    />
    <${History} />`;
}

function Meter({ name, share, value }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return html`<div class="card meter">
    <h2>${name}</h2>
    <p class="big"><b>${percent}</b> %</p>
    <div
      class="progress"
      role="meter"
      aria-label=${name}
      aria-valuenow=${percent}
      aria-valuemin="0"
      aria-valuemax="100"
    >
      <span style=${{ width: `${percent}%` }}></span>
    </div>
    <p class="quiet">${value}</p>
  </div>`;
}

export function Doctor() {
  const [report, setReport] = useState(undefined);
  const [error, setError] = useState(null);
  const [isRunning, setRunning] = useState(false);
  useEffect(() => void get('api/doctor').then(setReport, setError), []);
  const run = () => {
    setRunning(true);
    setError(null);
    post('api/doctor')
      .then(setReport, setError)
      .finally(() => setRunning(false));
  };
  return html`<header class="title">
      <h1>Doctor</h1>
      <button class="primary" onClick=${run} disabled=${isRunning}>
        ${isRunning ? 'Checking …' : 'Check now'}
      </button>
    </header>
    ${error !== null && html`<${Fault} error=${error} />`}
    ${report === undefined && error === null && html`<${Loading} />`}
    ${
      report === null &&
      html`<${Empty} title="Not checked yet"
        ><p>The checks try everything that a job needs. They take a few seconds.</p><//
      >`
    }
    ${
      report &&
      html`<p class="quiet" role="status">Checked ${clock(Date.parse(report.at))}</p>
        <${Checks} checks=${report.checks} />`
    }`;
}

const ORDER = { fail: 0, warn: 1, ok: 2 };

function Checks({ checks }) {
  const sorted = checks.toSorted((a, b) => ORDER[a.status] - ORDER[b.status]);
  return html`<ul class="checks">
    ${sorted.map(
      ({ name, status, found, remedy }) =>
        html`<li>
          <span class="state ${status}">${status}</span>
          <div>
            <b>${name}</b>
            <p>${found}</p>
            ${remedy !== null && html`<p class="remedy">→ ${remedy}</p>`}
          </div>
        </li>`,
    )}
  </ul>`;
}
