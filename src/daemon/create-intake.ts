import type { IdentifiedHome } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { InputRejectedError } from '../domain/errors.ts';
import { shapeOf } from '../domain/video-shape.ts';
import { signatureOfFileAlone, type FoundFile } from '../intake/find-files.ts';
import { Intake, type IntakeSettings } from '../intake/intake.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import { probeSequence } from '../media/sequence/probe-sequence.ts';
import { steadyNowMs } from '../lib/steady-clock.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { whyMissing } from '../workspace/missing-folder.ts';
import { quarantineSource } from '../workspace/quarantine-source.ts';
import { checkRecipe } from './check-recipe.ts';
import type { NewJobEstimates } from './new-job-estimates.ts';

export interface IntakeParts {
  readonly home: IdentifiedHome;
  readonly settings: LiveSettings;
  readonly queue: Queue;
  readonly estimates: NewJobEstimates;
  readonly log: Logger;
}

/** Creates the intake that turns the videos in `input/` into jobs of the queue. */
export function createIntake({ home, settings, queue, estimates, log }: IntakeParts): Intake {
  return new Intake({
    inputDir: home.input,
    outputDir: home.output,
    whyMissing: () => whyMissing(home.input, queue.mountPoints),
    polling: settings.now().intake.polling,
    settings: () => intakeSettings(home, settings),
    seenFiles: queue.seenFiles,
    enqueue: (file) => queue.jobs.enqueue({ ...file, origin: 'watch', priority: 0, nowMs: Date.now() }),
    checkRecipe,
    probe: async ({ path, isSequence = false }, signal) => {
      const { limits } = settings.now();
      return isSequence
        ? probeSequence(path, limits, signal)
        : shapeOf(await probeMedia(path, limits, signal));
    },
    estimate: (job) => estimates.describe(job),
    onQueued: (job) => estimates.warnIfLong(job),
    onRejected: async (file, error) => {
      if (settings.now().intake.rejected === 'quarantine') await quarantine(home, file, error, log);
    },
    log,
    now: steadyNowMs,
  });
}

function intakeSettings(home: IdentifiedHome, settings: LiveSettings): IntakeSettings {
  const { intake, output, recipe } = settings.now();
  return {
    settleMs: intake.settleSeconds * 1000,
    skipLarger: output.skipLarger,
    rescanMs: intake.rescanSeconds * 1000,
    rules: { inputDir: home.input, defaultRecipe: recipe, folders: intake.folders },
  };
}

async function quarantine(
  home: IdentifiedHome,
  { path, signature }: FoundFile,
  error: InputRejectedError,
  log: Logger,
): Promise<void> {
  const sentence = await quarantineSource(
    home,
    { path, signature: signatureOfFileAlone(signature) },
    error,
    String(Date.now()),
  );
  if (sentence !== null) log.info(sentence);
}
