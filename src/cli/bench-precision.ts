import { basename } from 'node:path';
import { Command } from 'commander';
import { modelFolders } from '../config/home.ts';
import { PIPELINE_DEFAULTS } from '../config/recipe-presets.ts';
import type { Settings } from '../config/settings.ts';
import type { Tensor } from '../inference/engine.ts';
import { findModel } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { readUpscaler } from '../inference/models/read-upscaler.ts';
import { precisionConditions, readPrecisions } from '../inference/measured-precision.ts';
import { usableThreads } from '../inference/usable-threads.ts';
import { readGroupLimits } from '../lib/control-groups.ts';
import { visibleText } from '../lib/visible-text.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import { fastestExcellent } from '../trial/grade-precision.ts';
import type { MeasuredPrecision } from '../trial/measure-precisions.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { existingFile } from './existing-file.ts';
import { formatTable } from './format-table.ts';
import { openHome } from './open-home.ts';
import { numberOrText } from './parse-arguments.ts';

interface PrecisionOptions extends GlobalOptions {
  readonly model?: string;
  readonly frames?: unknown;
}

/** Edge of the part of a frame that is upscaled, so that a large model takes seconds for it. */
const EDGE = { srvgg: 192, rrdb: 64, cugan: 128 } as const;

/** `framekiln bench precision`: grades the precisions of the CPU engine on files of the user. */
export function precisionCommand(cli: Cli): Command {
  return new Command('precision')
    .description('Grade the precisions of the CPU engine on your own files, for engine.precision: auto')
    .argument('<files...>', 'videos or still images, such as dark ones, drawings and faces')
    .option('--model <name>', 'model (default: that of the settings)')
    .option('--frames <number>', 'frames of each video (default: 4)', numberOrText)
    .action(async (files: string[], _, self: Command) => {
      const options = self.optsWithGlobals<PrecisionOptions>();
      const { home, settings } = openHome(cli, options);
      const { recipe, limits, engine } = settings;
      const name = options.model ?? recipe.model;
      const model = await findModel(name, modelFolders(home), await readKnownModels());
      const paths = await Promise.all(files.map((file) => existingFile(file)));
      const frames = typeof options.frames === 'number' ? Math.max(1, Math.round(options.frames)) : 4;

      // Loaded only now, because the engines take longer than most commands.
      const { createCpuEngine } = await import('../inference/cpu-engine.ts');
      const { createOnnxEngine } = await import('../inference/onnx-engine.ts');
      const { measurePrecisions } = await import('../trial/measure-precisions.ts');
      const rows = await measurePrecisions(
        {
          onnx: await readUpscaler(model),
          threads: usableThreads(engine.threads, await readGroupLimits()),
          ...{ engine: createCpuEngine(), reference: createOnnxEngine('cpu') },
        },
        imagesOf(cli, paths, frames, EDGE[model.architecture ?? 'rrdb'], limits),
      );
      const conditions = precisionConditions();
      const precision = fastestExcellent(rows);
      const stored = { ...(await readPrecisions(home.precisionsFile)) };
      stored[model.sha256] = { ...conditions, precision, model: name, files: paths, rows };
      await writeFileDurably(home.precisionsFile, `${JSON.stringify(stored, null, 2)}\n`, 'other-file');
      printTable(cli, rows);
      cli.print(
        `${visibleText(name)} on ${conditions.instructionSet}: new jobs with engine.precision auto use ${precision}; report: ${home.precisionsFile}`,
      );
    });
}

async function* imagesOf(
  cli: Cli,
  paths: readonly string[],
  frames: number,
  edge: number,
  limits: Settings['limits'],
): AsyncGenerator<Tensor> {
  const { middleOf } = await import('../trial/measure-precisions.ts');
  const { takeFrame } = await import('../trial/take-frame.ts');
  const { signal } = new AbortController();
  for (const path of paths) {
    if (cli.interactive) cli.complain(`${visibleText(basename(path))} …`);
    const { video, durationSeconds } = await probeMedia(path, limits, signal);
    const seconds = video.durationSeconds ?? durationSeconds ?? 0;
    for (let i = 0; i < (seconds === 0 ? 1 : frames); i++) {
      const at = seconds === 0 ? null : (seconds * (i + 0.5)) / frames;
      const { image, media } = await takeFrame(path, at, PIPELINE_DEFAULTS.upscale, limits, signal);
      const { width, height, bitsPerComponent } = media.video;
      const format = { width, height, pixelFormat: bitsPerComponent > 8 ? 'rgb48le' : 'rgb24' } as const;
      yield middleOf(image.pixels, format, edge);
    }
  }
}

function printTable(cli: Cli, rows: readonly MeasuredPrecision[]): void {
  const header = ['PRECISION', 'SPEED', 'PSNR WORST', 'MEAN', 'SSIM WORST', 'GRADE'];
  const cells = rows.map(({ precision, speed, worst, mean, grade }) => [
    ...[precision, `${speed.toFixed(1)} x onnxruntime`, `${worst.psnr.toFixed(1)} dB`],
    ...[`${mean.psnr.toFixed(1)} dB`, worst.ssim.toFixed(5), grade],
  ]);
  for (const line of formatTable(header, cells)) cli.print(line);
}
