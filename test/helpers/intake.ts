import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DEFAULT_RECIPE, PIPELINE_DEFAULTS } from '../../src/config/recipe-presets.ts';
import { SAFE_DEFAULTS } from '../../src/config/settings.ts';
import { InputRejectedError } from '../../src/domain/errors.ts';
import { Intake } from '../../src/intake/intake.ts';
import { createForwardingLogger } from '../../src/observability/forwarding-logger.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { whyMissing } from '../../src/workspace/missing-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

function rejectBad(path: string): void {
  if (path.includes('bad')) throw new InputRejectedError('NOT_A_VIDEO', `${path} is not a video.`);
}

/** An intake on a real folder and a real database, with a clock that the test sets. Every file is a video unless its name contains `bad`. */
export function setUpIntake(
  root = temporaryFolder(),
  probe: (path: string) => unknown = rejectBad,
  output = { skipLarger: true },
) {
  const inputDir = join(root, 'input');
  mkdirSync(inputDir, { recursive: true });
  const queue = openQueue(join(root, 'queue.db'));
  onTestFinished(() => queue.close());
  const clock = { ms: 1_000_000 };
  const said: string[] = [];
  const intake = new Intake({
    inputDir,
    outputDir: join(root, 'output'),
    checkRecipe: () => Promise.resolve(),
    whyMissing: () => whyMissing(inputDir, queue.mountPoints),
    polling: false,
    settings: () => ({
      settleMs: 5000,
      rescanMs: 60_000,
      skipLarger: output.skipLarger,
      rules: {
        inputDir,
        defaultRecipe: SAFE_DEFAULTS.recipe,
        folders: {
          mine: { ...DEFAULT_RECIPE, scale: 3.5 },
          uhd: { ...DEFAULT_RECIPE, size: '4k' },
          full: { ...DEFAULT_RECIPE, size: '1080p' },
          greetings: { ...PIPELINE_DEFAULTS['lip-sync'], audio: 'hello.wav' },
        },
      },
    }),
    seenFiles: queue.seenFiles,
    enqueue: (file) => queue.jobs.enqueue({ ...file, origin: 'watch', priority: 0, nowMs: clock.ms }),
    probe: async ({ path }) => {
      await probe(path);
      return {
        ...(path.includes('hd.mp4') ? HD : { width: 64, height: 48 }),
        bitsPerComponent: 8,
        frames: 50,
        bytes: 1000,
      };
    },
    estimate: () => Promise.resolve('about a minute'),
    onQueued: () => undefined,
    log: createForwardingLogger((entry) => said.push(entry.message)),
    onRejected: () => Promise.resolve(),
    now: () => clock.ms,
  });
  onTestFinished(() => intake.close());
  const put = (name: string, text: string) => {
    mkdirSync(join(inputDir, name, '..'), { recursive: true });
    writeFileSync(join(inputDir, name), text);
    return join(inputDir, name);
  };
  /** Scans twice, far enough apart that every file that did not change meanwhile is settled. */
  const settle = async () => {
    await intake.scan();
    clock.ms += 5000;
    await intake.scan();
  };
  return { root, inputDir, queue, clock, said, intake, put, settle, jobs: () => queue.jobs.listJobs() };
}

/** A frame that is twice as large in 4K. */
const HD = { width: 1920, height: 1080 };
