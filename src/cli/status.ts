import { Command } from 'commander';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatStatus } from './format-status.ts';
import { openHome, withQueue } from './open-home.ts';
import { Estimator } from '../daemon/estimator.ts';
import { readReport } from '../reports/media-report.ts';
import { isDaemonRunning } from './send-command.ts';
import { rejectedFiles, reportJob, type StatusReport } from './status-report.ts';

/** So many failed tries of each job are told. */
const HISTORY_LENGTH = 10;

/** `framekiln status`: what is done, under way and waiting. */
export function statusCommand(cli: Cli): Command {
  return new Command('status')
    .description('show the jobs and whether the daemon is running')
    .option('--json', 'as JSON, with every job')
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
          rest: daemonRunning ? queue.control.restReason() : null,
          jobs: await Promise.all(
            queue.jobs.listJobs().map(async (job) => {
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
        };
      });
      if (options.json) cli.print(JSON.stringify(report, null, 2));
      else for (const line of formatStatus(report)) cli.print(line);
    });
}
