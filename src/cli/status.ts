import { Command } from 'commander';
import { StatusReader } from '../control/read-status.ts';
import type { StatusReport } from '../control/status-report.ts';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatStatus } from './format-status.ts';
import { openHome, withQueue } from './open-home.ts';

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
        const reader = new StatusReader({
          ...{ home, queue, settings: () => settings, now: cli.now },
          isDaemonRunning: () => daemonRunning,
        });
        const { rejected, waiting, ...found } = reader.readHome(Infinity);
        const jobs = await Promise.all(queue.jobs.listJobs().map((job) => reader.report(job)));
        return { ...found, jobs, rejected, waiting };
      });
      if (options.json) cli.print(JSON.stringify(report, null, 2));
      else
        for (const line of formatStatus(report, { columns: cli.columns, nowMs: cli.now() })) cli.print(line);
    });
}
