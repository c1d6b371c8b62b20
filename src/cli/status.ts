import { Command } from 'commander';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatStatus } from './format-status.ts';
import { openHome, withQueue } from './open-home.ts';
import { Estimator } from '../daemon/estimator.ts';
import type { Job } from '../domain/job.ts';
import type { Queue } from '../queue/queue.ts';
import { readReport } from '../reports/media-report.ts';
import { rejectedFiles, reportJob, waitingFiles, type StatusReport } from './status-report.ts';

/** Events of each job in the report. */
const HISTORY_LENGTH = 10;

/** `framekiln status`: shows finished, running and waiting jobs. */
export function statusCommand(cli: Cli): Command {
  return new Command('status')
    .description('Show the jobs and whether the daemon is running')
    .option('--json', 'print all jobs as JSON')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { json?: true }>();
      const { home, settings } = openHome(cli, options);
      const daemonRunning = isDaemonRunning(home.lockFile);
      const report = await withQueue(home, async (queue): Promise<StatusReport> => {
        const estimator = new Estimator({ queue, settings: () => settings, now: cli.now });
        return {
          home: home.root,
          daemonRunning,
          queuePaused: queue.control.isQueuePaused(),
          throttled: daemonRunning ? queue.control.throttledReason() : null,
          jobs: await Promise.all(
            queue.jobs.listJobs().map(async (stored) => {
              const job = daemonRunning ? stored : atRest(stored, queue);
              const events = queue.events.listEvents(job.id, HISTORY_LENGTH);
              const waits = ['queued', 'paused'].includes(job.state) && job.framesDone === 0;
              const report = await readReport(home, job.id);
              return reportJob(job, home.input, cli.now(), {
                report: report === 'torn' ? null : report,
                events,
                estimate: waits ? await estimator.estimate(job) : null,
              });
            }),
          ),
          rejected: rejectedFiles(queue.seenFiles.list(), home.input),
          waiting: waitingFiles(queue.seenFiles.list(), home.input),
        };
      });
      if (options.json) cli.print(JSON.stringify(report, null, 2));
      else for (const line of formatStatus(report)) cli.print(line);
    });
}

/**
 * The job as it is while no daemon runs: one that a killed daemon left as running is queued, and only frames with a
 * checkpoint count as done.
 */
function atRest(job: Job, queue: Queue): Job {
  if (job.state !== 'running' || job.origin === 'run') return job;
  const framesDone = queue.batches.listBatches(job.id).reduce((sum, batch) => sum + batch.frameCount, 0);
  return { ...job, state: 'queued', stage: null, framesDone, framesPerSecond: null, etaAtMs: null };
}
