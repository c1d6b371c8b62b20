import { counted } from '../lib/counted.ts';
import { visibleText } from '../lib/visible-text.ts';
import { statusTable, type StatusView } from './status-table.ts';
import type { FileWithReason, JobReport, StatusReport } from '../control/status-report.ts';

/** Jobs shown of those that ended last, besides those that failed; all of them are in `--json`. */
const FINISHED_SHOWN = 10;
/** Unfinished jobs shown, the running ones first, and failed jobs shown, the last ones. */
const MANY = 100;

/** The report as lines for a person: failed jobs and those that ended last, what is unfinished, then the files without a job. */
export function formatStatus(report: StatusReport, view: Omit<StatusView, 'homeRoot'>): string[] {
  const unfinished = report.jobs.filter((job) => !isFinished(job));
  const finished = report.jobs
    .filter(isFinished)
    .sort((a, b) => (a.finishedAt ?? '').localeCompare(b.finishedAt ?? ''));
  const failed = finished.filter(({ state }) => state === 'failed');
  const ended = new Set([...failed.slice(-MANY), ...finished.slice(-FINISHED_SHOWN)]);
  const next = unfinished.length > MANY ? runningFirst(unfinished).slice(0, MANY) : unfinished;
  const shown = [...finished.filter((job) => ended.has(job)), ...next];

  const lines = [headline(report, unfinished.length, finished.length)];
  if (shown.length > 0) lines.push('', ...statusTable(shown, { ...view, homeRoot: report.home }));
  lines.push(...hiddenLines(unfinished.length - MANY, failed.length - MANY));
  lines.push(...longJobLines(next));
  lines.push(...pendingLines(report));
  lines.push(...fileLines('Files in input/ that may be incomplete:', report.waiting));
  lines.push(...fileLines('Skipped files in input/:', report.skipped));
  lines.push(...fileLines('Rejected files in input/:', report.rejected));
  return lines;
}

function runningFirst(jobs: readonly JobReport[]): JobReport[] {
  const isRunning = ({ state }: JobReport): boolean => state === 'running';
  return [...jobs.filter(isRunning), ...jobs.filter((job) => !isRunning(job))];
}

function hiddenLines(unfinished: number, failed: number): string[] {
  const parts = [
    ...(unfinished > 0 ? [counted(unfinished, 'more unfinished job')] : []),
    ...(failed > 0 ? [counted(failed, 'earlier failed job')] : []),
  ];
  return parts.length === 0
    ? []
    : ['', `Not shown: ${parts.join(' and ')}. To list all jobs: framekiln status --json`];
}

/** The jobs that take very long, with what would be faster. */
function longJobLines(jobs: readonly JobReport[]): string[] {
  const long = jobs.flatMap(({ id, file, warning }) =>
    warning === null ? [] : [`  ${id}  ${visibleText(file)} ${visibleText(warning)}`],
  );
  return long.length === 0 ? [] : ['', 'Jobs that will take a long time (estimate.warnAfterHours):', ...long];
}

/** Commands that were given while no daemon was running. */
function pendingLines({ pending, daemonRunning }: StatusReport): string[] {
  if (daemonRunning || pending.length === 0) return [];
  const commands = pending.map(({ command, jobId, file, recipe }) => {
    const parts = [command, jobId, file === null ? null : visibleText(file)].filter((part) => part !== null);
    return `  ${parts.join(' ')}${recipe === null ? '' : ` (${visibleText(recipe)})`}`;
  });
  return ['', 'Commands that take effect when the daemon starts:', ...commands];
}

function fileLines(title: string, files: readonly FileWithReason[]): string[] {
  if (files.length === 0) return [];
  const line = ({ file, code, message }: FileWithReason): string =>
    `  ${visibleText(file)}  ${code}: ${visibleText(message)}`;
  return ['', title, ...files.map(line)];
}

function headline(report: StatusReport, unfinished: number, finished: number): string {
  const daemon = report.daemonRunning ? 'The daemon is running' : 'The daemon is not running';
  const queue = report.queuePaused ? ' and the queue is paused' : '';
  const throttled = report.throttled === null ? '' : ` (${visibleText(report.throttled)})`;
  return `${daemon}${throttled}${queue}. Jobs in ${report.home}: ${unfinished} unfinished, ${finished} ended.`;
}

function isFinished(job: JobReport): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
}
