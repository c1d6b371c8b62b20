import { join } from 'node:path';
import { Command } from 'commander';
import { keepValidSettings } from '../config/keep-valid-settings.ts';
import { LiveSettings } from '../config/live-settings.ts';
import type { LoadedSettings } from '../config/load-settings.ts';
import { NEEDS_RESTART, valueAt } from '../config/setting-keys.ts';
import { runDaemon } from '../daemon/run-daemon.ts';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { runChecks } from '../hardware/check.ts';
import { describeGpuUse } from '../hardware/gpu-use.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import { createLogger } from '../observability/logger.ts';
import { LogTail } from '../observability/log-tail.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { quickChecks, type Place } from './check-environment.ts';
import { findGpuUse } from './find-gpu-use.ts';
import { openDaemonPage, startMetrics } from './open-daemon-page.ts';
import { makeHome } from './open-home.ts';
import { probeMachine } from './probe-machine.ts';
import { putSampleClip } from './sample-clip.ts';
import { stopSignal } from './stop-signal.ts';

interface StartOptions extends GlobalOptions {
  readonly once?: true;
  readonly sample?: true;
}

/** `framekiln start`: watches `input/` until it is stopped, or with `--once` processes what is there and exits. */
export function startCommand(cli: Cli): Command {
  return new Command('start')
    .description('Watch input/ and write finished videos to output/')
    .option(
      '--once',
      'process everything in input/, then exit; the exit code is 0 if every file in it succeeded',
    )
    .option('--sample', 'add a 3-second sample clip to input/ first')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<StartOptions>();
      const home = makeHome(options);
      // Checked first, because hardware trials would disturb the running daemon.
      if (isDaemonRunning(home.lockFile)) {
        cli.complain(`another Framekiln daemon is already using ${home.root}; exiting`);
        cli.exitCode = ExitCode.alreadyRunning;
        return;
      }
      const facts = await probeMachine(home, (sentence) => cli.complain(sentence));
      const file = join(home.logs, 'framekiln.log');
      const keepAndTellFaults = (loaded: LoadedSettings, occasion: 'start' | 'change'): void => {
        for (const fault of loaded.faults) log.warn(fault);
        const warning = keepValidSettings(home, loaded, occasion);
        if (warning !== null) log.warn(warning);
      };
      const settings = new LiveSettings({ home, flags: options.set ?? [] }, (loaded) => {
        if (loaded.validText !== null)
          log.info(
            'settings reloaded; recipes apply to files queued from now on, other settings from the next job at the latest',
          );
        for (const key of NEEDS_RESTART)
          if (valueAt(loaded.settings, key) !== valueAt(startedWith, key))
            log.warn(`${key} has changed; restart Framekiln to apply the new value`);
        keepAndTellFaults(loaded, 'change');
      });
      const startedWith = settings.now();
      const tail = new LogTail();
      const log = createLogger({
        file,
        level: startedWith.log.level,
        console: true,
        onEntry: (entry) => tail.add(entry),
      });
      // With --once there may be no time to look at a page.
      const hasPage = startedWith.page.enabled && options.once !== true;
      try {
        keepAndTellFaults(settings.loaded, 'start');
        for (const line of await remarks({ home, facts, settings: settings.now(), faults: [] }))
          log.warn(line);
        const use = await findGpuUse(facts);
        log[use.code === 'used' || use.advice === null ? 'info' : 'warn'](describeGpuUse(use));
        if (options.sample) log.info(`added sample clip ${await putSampleClip(home)}`);
        const signal = stopSignal();
        // Now, because the daemon recovers from failures before it opens the page.
        const metrics = hasPage ? await startMetrics(log) : null;
        cli.exitCode = await runDaemon({
          home,
          settings,
          once: options.once === true,
          gpuUse: use,
          log,
          signal,
          openPage:
            metrics === null ? null : (parts) => openDaemonPage({ ...parts, settings, log, tail, metrics }),
        });
      } finally {
        await log.close();
      }
    });
}

/** The results of the quick checks that are not ok. */
async function remarks(place: Place): Promise<string[]> {
  const results = await runChecks(quickChecks(place));
  return results
    .filter(({ status }) => status !== 'ok')
    .map(
      ({ name, found, remedy }) =>
        `${name}: ${found}${remedy === null ? '' : ` → ${withoutFullStop(remedy)}`}`,
    );
}
