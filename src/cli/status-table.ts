import { relative } from 'node:path';
import type { JobReport } from '../control/status-report.ts';
import type { Recipe } from '../domain/recipe.ts';
import { visibleText } from '../lib/visible-text.ts';
import { formatEstimate, formatNeeds } from '../observability/format-estimate.ts';
import { formatDuration, formatRate } from '../observability/format-progress.ts';
import { shorten, wrap } from './fit-text.ts';
import { columnWidths, formatTable } from './format-table.ts';

/** Where the table is shown. */
export interface StatusView {
  /** Columns of the terminal; Infinity where nothing needs to fit. */
  readonly columns: number;
  readonly nowMs: number;
  /** Absolute path of the home, to which outputs are relative. */
  readonly homeRoot: string;
}

const HEADER = ['ID', 'STATE', 'FILE', 'RECIPE', 'DONE', 'FPS', 'TIME', 'AGE'] as const;
type Column = (typeof HEADER)[number];
/** What a narrow terminal leaves out, in this order. */
const DISPENSABLE: readonly Column[] = ['FPS', 'AGE', 'RECIPE', 'DONE'];
const SHORTEST_FILE = 16;
const INDENT = '    ';

/** The jobs as a table that fits the terminal, each followed by its output and its note. */
export function statusTable(jobs: readonly JobReport[], view: StatusView): string[] {
  const rows = jobs.map((job) => cellsOf(job, view));
  const shown = HEADER.filter((column) => !leftOut(rows, view.columns).includes(column));
  const room = view.columns - widthWithoutFile(rows, shown);
  const cells = rows.map((row) =>
    shown.map((column) =>
      column === 'FILE' ? shorten(row[column], Math.max(SHORTEST_FILE, room)) : row[column],
    ),
  );
  const [header = '', ...lines] = formatTable(shown, cells);
  return [
    header,
    ...lines.flatMap((line, i) => {
      const job = jobs[i];
      return job === undefined ? [] : [line, ...detailsOf(job, view)];
    }),
  ];
}

/** The columns without which the table fits, with at least a part of each file name. */
function leftOut(rows: readonly Record<Column, string>[], columns: number): readonly Column[] {
  for (let count = 0; count < DISPENSABLE.length; count++) {
    const out = DISPENSABLE.slice(0, count);
    const shown = HEADER.filter((column) => !out.includes(column));
    if (widthWithoutFile(rows, shown) + SHORTEST_FILE <= columns) return out;
  }
  return DISPENSABLE;
}

function widthWithoutFile(rows: readonly Record<Column, string>[], shown: readonly Column[]): number {
  const others = shown.filter((column) => column !== 'FILE');
  const widths = columnWidths([others, ...rows.map((row) => others.map((column) => row[column]))]);
  return widths.reduce((sum, width) => sum + width + 2, 0);
}

function cellsOf(job: JobReport, { nowMs }: StatusView): Record<Column, string> {
  return {
    ID: String(job.id),
    STATE: job.stage === null ? job.state : `${job.state}: ${job.stage}`,
    FILE: visibleText(job.file),
    RECIPE: visibleText(shortRecipe(job.recipe)),
    DONE: job.percent === null ? '' : `${job.percent} %`,
    FPS: job.framesPerSecond === null ? '' : formatRate(job.framesPerSecond),
    TIME: timeOf(job),
    AGE: formatAge(nowMs - Date.parse(job.createdAt)),
  };
}

/** `realesr-general-x4v3 x4`, or the name of the pipeline where there is no scale. */
function shortRecipe(recipe: Recipe): string {
  return recipe.pipeline === 'upscale' ? `${recipe.model} x${recipe.scale}` : recipe.pipeline;
}

/** The time left; for a job that has not started, the estimate; for one that has ended, how long it took. */
function timeOf({ secondsLeft, estimate, startedAt, finishedAt }: JobReport): string {
  if (startedAt !== null && finishedAt !== null)
    return `took ${formatDuration(Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)))}`;
  if (secondsLeft !== null) return `${formatDuration(secondsLeft * 1000)} left`;
  return estimate?.seconds == null ? '' : `about ${formatDuration(estimate.seconds * 1000)}`;
}

/** Time since a job was queued, in its largest unit: `40 s`, `5 min`, `3 h`, `12 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

function detailsOf(job: JobReport, { columns, homeRoot }: StatusView): string[] {
  const inHome = relative(homeRoot, job.output);
  const output = inHome.startsWith('..') ? job.output : inHome;
  const texts = [...(job.state === 'failed' ? [] : [`→ ${visibleText(output)}`]), visibleText(noteOf(job))];
  const width = columns - INDENT.length;
  return texts
    .filter((text) => text !== '')
    .flatMap((text) => wrap(text, width).map((line) => INDENT + line));
}

function noteOf(job: JobReport): string {
  if (job.error === null && job.note === null && job.estimate !== null)
    return job.estimate.seconds === null
      ? formatEstimate(job.estimate)
      : `needs ${formatNeeds(job.estimate)}`;
  if (job.error === null) return [job.note, ...(job.report?.remarks ?? [])].filter(Boolean).join('; ');
  const error = `${job.error.code}: ${job.error.message}`;
  return job.note === null ? error : `${job.note} (${error})`;
}
