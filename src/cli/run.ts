import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { LiveSettings } from '../config/live-settings.ts';
import { runForeground } from '../daemon/run-foreground.ts';
import type { Job } from '../domain/job.ts';
import { toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import type { Recipe } from '../domain/recipe.ts';
import { describeLargeEnough, fitToSource, isLargeEnough } from '../domain/target-size.ts';
import { describeGpuUse } from '../hardware/gpu-use.ts';
import { visibleText } from '../lib/visible-text.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import { formatProgress } from '../observability/format-progress.ts';
import { createLogger } from '../observability/logger.ts';
import { checkEnvironment, type Place } from './check-environment.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { findGpuUse } from './find-gpu-use.ts';
import { formatCheck } from './doctor.ts';
import { speechInput, withStreamedSpeech, type SpeechInput } from './speech-input.ts';
import { existingFile } from './existing-file.ts';
import { withFoundModel } from '../inference/models/with-found-model.ts';
import { makeHome, openHome } from './open-home.ts';
import { probeMachine } from './probe-machine.ts';
import { createProgressBar, type ProgressBar } from './progress-bar.ts';
import { recipeFromOptions, withRecipeOptions, type RecipeOptions } from './recipe-options.ts';
import { stopSignal } from './stop-signal.ts';

interface RunOptions extends GlobalOptions, RecipeOptions {
  readonly output?: string;
  readonly skipChecks?: true;
}

/** `framekiln run`: processes one file while the user waits; a running daemon takes over the job. */
export function runCommand(cli: Cli): Command {
  const command = new Command('run')
    .description('Process one file and wait for it to finish; a running daemon takes over the job')
    .argument('<file>', 'video or image file')
    .option('--output <folder>', 'folder for the finished video (default: output/ in the home folder)')
    .option('--skip-checks', 'skip the environment checks');
  return withRecipeOptions(command).action(async (file: string, _, self: Command) => {
    const options = self.optsWithGlobals<RunOptions>();
    const facts = await probeMachine(makeHome(options), (sentence) => cli.complain(sentence));
    const place = { ...openHome(cli, options), facts };
    const source = await existingFile(file);
    const speech = await speechInput(options.audio, place.home);
    const given = speech === null ? options : { ...options, audio: speech.audio };
    const wanted = withStreamedSpeech(recipeFromOptions(given, place.settings.recipe), speech);
    const found = await withFoundModel(wanted, place.home);
    const recipe = await fittedTo(source, found, place);
    if (typeof recipe === 'string') {
      cli.print(recipe);
      return;
    }
    if (!options.skipChecks && !(await isUsable(cli, place, recipe.model))) {
      cli.exitCode = ExitCode.environment;
      return;
    }
    if (recipe.device === 'gpu' || recipe.device === 'gpu-only')
      cli.complain(describeGpuUse(await findGpuUse(facts)));
    const { home, settings } = place;
    const log = createLogger({
      file: join(home.logs, 'framekiln.log'),
      level: settings.log.level,
      console: !cli.interactive,
    });
    if (speech !== null && speech.part !== null)
      cli.print(
        `Receiving the speech. If this is interrupted, run the same command again with --audio ${speech.part}`,
      );
    const bar = createProgressBar(cli, visibleText(basename(file)));
    // Not awaited: if the job fails, the rest of the speech does not matter. If it cannot be stored, the job ends for want of it.
    speech
      ?.receive()
      .catch((error: unknown) => log.error(`cannot receive the speech: ${toError(error).message}`));
    try {
      const { job, leftWithDaemon, missingDisk } = await runForeground({
        settings: new LiveSettings({ home, flags: options.set ?? [] }),
        ...{ home, log, recipe, file: source, signal: stopSignal() },
        outputDir: options.output === undefined ? home.output : resolve(options.output),
        tell: (sentence) => cli.print(visibleText(sentence)),
        onProgress: (now) => showProgress(now, bar, cli.now()),
      });
      bar.stop();
      if (leftWithDaemon) tellLeft(cli, job, speech);
      else if (missingDisk !== null) tellMissing(cli, missingDisk, speech);
      else tellEnd(cli, job, speech);
    } finally {
      bar.stop();
      await log.close();
    }
  });
}

/** The recipe with the scale that gives its size, or a sentence if the source is large enough to be left alone. */
async function fittedTo(source: string, recipe: Recipe, { settings }: Place): Promise<Recipe | string> {
  if (recipe.pipeline !== 'upscale' || recipe.size === undefined) return recipe;
  const { video } = await probeMedia(source, settings.limits, new AbortController().signal);
  return settings.output.skipLarger && isLargeEnough(recipe, video)
    ? `${visibleText(basename(source))} ${describeLargeEnough(recipe, video)}.`
    : fitToSource(recipe, video);
}

/** Prints the failed checks, if any; warnings are left to `framekiln doctor`. */
async function isUsable(cli: Cli, place: Place, model: string): Promise<boolean> {
  const failures = (await checkEnvironment(place, model)).filter(({ status }) => status === 'fail');
  for (const line of failures.flatMap(formatCheck)) cli.complain(line);
  return failures.length === 0;
}

function showProgress(job: Job, bar: ProgressBar, nowMs: number): void {
  const { framesDone, framesTotal, framesPerSecond, etaAtMs, stage } = job;
  if (framesTotal === null) return;
  const etaMs = etaAtMs === null ? null : Math.max(0, etaAtMs - nowMs);
  const text = formatProgress({ framesDone, framesTotal, framesPerSecond, etaMs });
  bar.update(framesDone, framesTotal, stage === null ? text : `${stage} · ${text}`);
}

/** What resumes the job. */
function sameCommand(speech: SpeechInput | null): string {
  const audio = speech === null || speech.part === null ? '' : ` with --audio ${speech.part}`;
  return `run the same command again${audio}`;
}

function tellLeft(cli: Cli, { id }: Job, speech: SpeechInput | null): void {
  if (speech !== null && speech.part !== null && existsSync(speech.part))
    cli.complain(
      `The rest of the speech is lost, so job ${id} will fail; to make the video with what has arrived, ${sameCommand(speech)}`,
    );
  else cli.complain(`The daemon will continue job ${id}; to cancel it: framekiln cancel ${id}`);
  cli.exitCode = ExitCode.stopped;
}

function tellMissing(cli: Cli, missingDisk: string, speech: SpeechInput | null): void {
  cli.complain(visibleText(missingDisk));
  cli.complain(`Then ${sameCommand(speech)} to resume.`);
  cli.exitCode = ExitCode.environment;
}

function tellEnd(cli: Cli, job: Job, speech: SpeechInput | null): void {
  switch (job.state) {
    case 'done':
      cli.print(`Finished: ${visibleText(job.outputPath)}`);
      return;
    case 'failed':
      cli.complain(`${job.errorCode ?? 'INTERNAL'}: ${visibleText(job.errorMessage ?? '')}`);
      cli.exitCode = job.errorCode === 'GPU_UNAVAILABLE' ? ExitCode.environment : ExitCode.failed;
      return;
    case 'cancelled':
      // Its error, if it has one, is that of an earlier attempt.
      cli.complain(`Job ${job.id} was cancelled.`);
      cli.exitCode = ExitCode.failed;
      return;
    case 'queued':
    case 'running':
    case 'paused':
      cli.complain(`Stopped; ${sameCommand(speech)} to resume.`);
      cli.exitCode = ExitCode.stopped;
  }
}
