import { formatDuration, formatRate } from '../observability/format-progress.ts';
import { BENCH_FRAME_RATE, type BenchModel, type BenchReport } from '../trial/bench-report.ts';
import { shortName } from './try-output.ts';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.bars { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; align-items: center; }
.bars > span:nth-child(odd) { overflow-wrap: anywhere; }
.bar { display: flex; gap: .5rem; align-items: center; white-space: nowrap; font-variant-numeric: tabular-nums; }
.bar i { height: 1.1rem; min-width: 2px; border-radius: 2px; background: light-dark(#b4450f, #f2884b); }
.note { color: light-dark(#555, #aaa); }
table { border-collapse: collapse; } td, th { padding: .25rem 1rem .25rem 0; text-align: left; }
@media (max-width: 40rem) { .bars { grid-template-columns: 1fr; } }`;

interface Bar {
  readonly label: string;
  /** Length of the bar; null: the text only. */
  readonly value: number | null;
  readonly text: string;
}

/** The report as one HTML file with bar charts, without scripts and without anything from elsewhere. */
export function benchPage({ program, at, machine, models, encoders, missing }: BenchReport): string {
  const [first] = models;
  const byRate = (first?.rates ?? []).map(({ size, scale }, i) => {
    const bars = models.map((row) => {
      const { framesPerSecond = 0 } = row.rates[i] ?? {};
      return { label: labelOf(row), value: framesPerSecond, text: `${formatRate(framesPerSecond)} fps` };
    });
    return `<h2>${size} at ${scale}x, frames per second</h2>${chart(bars)}`;
  });
  const coded = encoders.map(({ encoder, framesPerSecond, reason }) => ({
    label: encoder,
    value: framesPerSecond,
    text: framesPerSecond === null ? `does not work: ${reason}` : `${formatRate(framesPerSecond)} fps`,
  }));
  const gpus = machine.gpus.map((gpu) => `, ${gpu}`).join('');
  const faults = missing.map(({ model, reason }) => `<p>${text(`${shortName(model)}: ${reason}`)}</p>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>framekiln bench</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${text(`${machine.cpu}, ${machine.cores} cores${gpus}`)}</h1>
<p class="note">${text(`Framekiln ${program}, ${at}`)}</p>
${faults.join('\n')}
<h2>Time for a 1080p video at ${BENCH_FRAME_RATE} fps, scale 2</h2>
${timeTable(models)}
<h2>Encoders, 1080p frames per second</h2>
${chart(coded)}
${byRate.join('\n')}
</body>
</html>
`;
}

function timeTable(models: readonly BenchModel[]): string {
  const row = (cells: readonly string[], tag: 'td' | 'th'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join('')}</tr>`;
  const header = ['Model', ...(models[0]?.seconds ?? []).map(({ length }) => length)];
  const rows = models.map((each) =>
    row([labelOf(each), ...each.seconds.map(({ seconds }) => formatDuration(seconds * 1000))], 'td'),
  );
  return `<table>${row(header, 'th')}${rows.join('')}</table>`;
}

function chart(bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value ?? 0));
  const rows = bars.map(({ label, value, text: shown }) => {
    const line = value === null ? '' : `<i style="width: ${((75 * value) / most).toFixed(1)}%"></i>`;
    return `<span>${text(label)}</span><span class="bar">${line}${text(shown)}</span>`;
  });
  return `<div class="bars">${rows.join('\n')}</div>`;
}

function labelOf({ model, device, precision }: BenchModel): string {
  return [shortName(model), device.toUpperCase(), precision ?? ''].filter(Boolean).join(', ');
}

function text(plain: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return plain.replace(/[&<>]/g, (each) => names[each] ?? each);
}
