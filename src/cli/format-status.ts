import { visibleText } from '../lib/visible-text.ts';
import { formatDuration, formatRate } from '../observability/format-progress.ts';
import { formatEstimate, formatNeeds } from '../observability/format-estimate.ts';
import { formatTable } from './format-table.ts';
import type { FileWithReason, JobReport, StatusReport } from '../control/status-report.ts';

/** Jobs shown of those that ended last, besides those that failed; all of them are in `--json`. */
const FINISHED_SHOWN = 10;

/** The report as lines for a person: failed jobs and those that ended last, what is unfinished, then the files without a job. */
export function formatStatus(report: StatusReport): string[] {
  const unfinished = report.jobs.filter((job) => !isFinished(job));
  const finished = report.jobs
    .filter(isFinished)
    .sort((a, b) => (a.finishedAt ?? '').localeCompare(b.finishedAt ?? ''));
  const last = new Set(finished.slice(-FINISHED_SHOWN));
  const shown = [...finished.filter((job) => job.state === 'failed' || last.has(job)), ...unfinished];

  const lines = [headline(report, unfinished.length, finished.length)];
  if (shown.length > 0) lines.push('', ...formatTable(HEADER, shown.map(tableRow)));
  lines.push(...longJobLines(unfinished));
  lines.push(...fileLines('Files in input/ that may be incomplete:', report.waiting));
  lines.push(...fileLines('Skipped files in input/:', report.skipped));
  lines.push(...fileLines('Rejected files in input/:', report.rejected));
  return lines;
}

/** The jobs that take very long, with what would be faster. */
function longJobLines(jobs: readonly JobReport[]): string[] {
  const long = jobs.flatMap(({ id, file, warning }) =>
    warning === null ? [] : [`  ${id}  ${visibleText(file)} ${visibleText(warning)}`],
  );
  return long.length === 0 ? [] : ['', 'Jobs that will take a long time (estimate.warnAfterHours):', ...long];
}

function fileLines(title: string, files: readonly FileWithReason[]): string[] {
  if (files.length === 0) return [];
  const line = ({ file, code, message }: FileWithReason): string =>
    `  ${visibleText(file)}  ${code}: ${visibleText(message)}`;
  return ['', title, ...files.map(line)];
}

const HEADER = ['ID', 'STATE', 'FILE', 'DONE', 'FRAMES', 'FPS', 'LEFT', 'NOTE'];

function headline(report: StatusReport, unfinished: number, finished: number): string {
  const daemon = report.daemonRunning ? 'The daemon is running' : 'The daemon is not running';
  const queue = report.queuePaused ? ' and the queue is paused' : '';
  const throttled = report.throttled === null ? '' : ` (${visibleText(report.throttled)})`;
  return `${daemon}${throttled}${queue}. Jobs in ${report.home}: ${unfinished} unfinished, ${finished} ended.`;
}

function tableRow(job: JobReport): string[] {
  const frames = job.framesTotal === null ? '' : `${job.framesDone} of ${job.framesTotal}`;
  return [
    String(job.id),
    job.stage === null ? job.state : `${job.state}: ${job.stage}`,
    visibleText(job.file),
    job.percent === null ? '' : `${job.percent} %`,
    frames,
    job.framesPerSecond === null ? '' : formatRate(job.framesPerSecond),
    timeLeft(job),
    visibleText(noteOf(job)),
  ];
}

/** The time left; for a job that has not started, the estimate, which begins with `about`. */
function timeLeft({ secondsLeft, estimate }: JobReport): string {
  if (secondsLeft !== null) return formatDuration(secondsLeft * 1000);
  return estimate?.seconds == null ? '' : `about ${formatDuration(estimate.seconds * 1000)}`;
}

function noteOf(job: JobReport): string {
  if (job.error === null && job.note === null && job.estimate !== null)
    return job.estimate.seconds === null ? formatEstimate(job.estimate) : formatNeeds(job.estimate);
  if (job.error === null) return [job.note, ...(job.report?.remarks ?? [])].filter(Boolean).join('; ');
  const error = `${job.error.code}: ${job.error.message}`;
  return job.note === null ? error : `${job.note} (${error})`;
}

function isFinished(job: JobReport): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
}
