// The load of the machine over time. The library for plots is loaded with the first plot.
import { get } from './api.js';
import { bytes, rate } from './format.js';
import { html } from './html.js';
import { useEffect, useRef, useState } from './preact-hooks.js';
import { Fault } from './ui.js';

const REFRESH_MS = 10_000;
const SPANS = [
  ['1h', '1 hour', 3600],
  ['24h', '24 hours', 86_400],
  ['7d', '7 days', 604_800],
];

/** The top of a scale by the largest value; `idle` while every value is 0. */
function topFor(idle) {
  return (largest) => 1.15 * (largest || idle);
}

/** The plots, each with its measures: name in the answer of the daemon, label, colour. */
const PLOTS = [
  {
    title: 'Use',
    format: (value) => `${Math.round(value)} %`,
    top: () => 100,
    measures: [
      ['processor', 'Processor', '--accent'],
      ['memory', 'Memory', '--line-2'],
      ['gpu', 'GPU', '--good'],
      ['videoMemory', 'GPU memory', '--line-4'],
      ['encoder', 'NVENC', '--line-5'],
    ],
  },
  {
    title: 'Speed of the running jobs',
    format: (value) => `${rate(value)} fps`,
    top: topFor(1),
    measures: [['speed', 'Speed', '--accent']],
  },
  {
    title: 'Free disk space for finished videos',
    format: bytes,
    top: topFor(1e6),
    measures: [['freeDisk', 'Free', '--line-2']],
  },
  {
    title: 'Memory used by RAM disks',
    format: bytes,
    top: topFor(1e6),
    measures: [['ramDisk', 'Used', '--line-4']],
  },
];

export function History() {
  const [span, setSpan] = useState('1h');
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    let isCurrent = true;
    const read = () =>
      get(`api/machine/history?span=${span}`).then(
        (found) => isCurrent && (setAnswer({ ...found, span }), setError(null)),
        (fault) => isCurrent && setError(fault),
      );
    void read();
    const timer = setInterval(read, REFRESH_MS);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [span]);
  const shown =
    answer === null ? [] : PLOTS.filter(({ measures }) => measures.some(([name]) => answer.values[name]));
  return html`<section class="history" aria-labelledby="history">
    <header class="title">
      <h2 id="history">Over time</h2>
      <div class="segments" role="group" aria-label="Span of time">
        ${SPANS.map(
          ([each, label]) =>
            html`<button aria-pressed=${span === each} onClick=${() => setSpan(each)}>${label}</button>`,
        )}
      </div>
    </header>
    ${error !== null && html`<${Fault} error=${error} />`}
    <div class="plots">
      ${shown.map((plot) => html`<${Plot} key=${plot.title} plot=${plot} answer=${answer} />`)}
    </div>
  </section>`;
}

function Plot({ plot: { title, format, measures, top }, answer }) {
  const box = useRef(null);
  const chart = useRef(null);
  const known = measures.filter(([name]) => answer.values[name]);
  const data = [answer.times, ...known.map(([name]) => answer.values[name])];
  const key = `${answer.span} ${known.map(([name]) => name)}`;
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    let isCurrent = true;
    const draw = async () => {
      const Library = await loadLibrary();
      if (!isCurrent || box.current === null) return;
      chart.current?.destroy();
      chart.current = new Library(
        optionsOf(box.current, known, format, top, answer.span),
        latest.current,
        box.current,
      );
    };
    void draw();
    // The box itself is forgotten before the effect ends, when the panel is left.
    const resize = new ResizeObserver(([{ target }]) =>
      chart.current?.setSize({ width: target.clientWidth, height: HEIGHT }),
    );
    resize.observe(box.current);
    // The colours are those of the theme.
    const theme = matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', draw);
    return () => {
      isCurrent = false;
      resize.disconnect();
      theme.removeEventListener('change', draw);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [key]);
  useEffect(() => {
    chart.current?.setData(data);
  }, [answer]);
  return html`<figure class="card plot">
    <figcaption>
      <b>${title}</b>
      <span class="legend">
        ${known.map(
          ([name, label, color]) =>
            html`<span
              ><i style=${{ background: `var(${color})` }} aria-hidden="true"></i>${label}
              <b>${lastOf(answer.values[name], format)}</b></span
            >`,
        )}
      </span>
    </figcaption>
    <div ref=${box} role="img" aria-label=${describe(title, known, answer, format)}></div>
  </figure>`;
}

const HEIGHT = 170;

function optionsOf(box, measures, format, top, span) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = {
    stroke: color('--quiet'),
    font,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    ...{
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
    },
    scales: {
      x: { time: true, range: () => Object.values(scaleOf(span)) },
      y: { range: (_, least, largest) => [0, top(largest)] },
    },
    axes: [
      { ...axis, size: 28, space: 70, values: (_, ticks) => ticks.map((at) => timeLabel(at, span)) },
      { ...axis, size: 68, space: 40, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...measures.map(([, label, name]) => ({
        ...{ label, stroke: color(name), width: 2, points: { show: false } },
        fill: measures.length === 1 ? `color-mix(in srgb, ${color(name)} 15%, transparent)` : undefined,
      })),
    ],
  };
}

function scaleOf(span) {
  const [, , seconds] = SPANS.find(([name]) => name === span);
  const now = Date.now() / 1000;
  return { min: now - seconds, max: now };
}

function timeLabel(at, span) {
  const date = new Date(at * 1000);
  if (span === '7d') return date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric' });
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

function lastOf(values, format) {
  const last = values.findLast((value) => value !== null);
  return last === undefined ? '–' : format(last);
}

/** What the plot shows, for screen readers. */
function describe(title, measures, { values, span }, format) {
  const [, label] = SPANS.find(([name]) => name === span);
  const parts = measures.map(([name, measure]) => {
    const known = values[name].filter((value) => value !== null);
    const range = `between ${format(Math.min(...known))} and ${format(Math.max(...known))}`;
    return `${measure} ${lastOf(values[name], format)}, ${range}`;
  });
  return `${title} in the last ${label}: ${parts.join('; ')}`;
}

let library = null;

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement('link');
    Object.assign(style, { rel: 'stylesheet', href: 'assets/uplot.css' });
    const script = document.createElement('script');
    script.src = 'assets/uplot.js';
    script.onload = () => resolve(globalThis.uPlot);
    script.onerror = reject;
    document.head.append(style, script);
  });
  return library;
}
