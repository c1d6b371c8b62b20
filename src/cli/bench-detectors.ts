import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import sharp from 'sharp';
import { z } from 'zod';
import { ConfigurationError, toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import type { ModelFile } from '../domain/models.ts';
import type { Device } from '../domain/recipe.ts';
import { availableEngines } from '../inference/available-engines.ts';
import { findModel, listModels } from '../inference/models/find-model.ts';
import {
  LEAST_SCORE,
  measureDetector,
  SIZES,
  type DetectorResult,
  type LabelledFrame,
} from '../pipelines/dual-face/detection/detector-benchmark.ts';
import { loadFaceDetector } from '../pipelines/dual-face/detection/face-detector.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatTable } from './format-table.ts';
import { modelFolders, readKnownModels } from './known-models.ts';
import { openHome } from './open-home.ts';

const box = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
const labelsSchema = z.object({
  frames: z.array(z.object({ file: z.string(), faces: z.array(box) })).min(1),
});
type Labels = z.infer<typeof labelsSchema>;

const DEVICES: readonly Device[] = ['auto', 'gpu', 'cpu'];

/** When a frame is looked at in windows too: `enoughFaces` of the detector. */
const MODES = [
  { windows: 'never', enoughFaces: 0 },
  { windows: 'fewer than 2 seen', enoughFaces: 2 },
  { windows: 'always', enoughFaces: Infinity },
] as const;

interface Row extends DetectorResult {
  readonly model: string;
  readonly windows: string;
  readonly engine: string;
}

/** `framekiln bench detectors`: what face detectors find on labelled frames, and how long it takes. */
export function detectorsCommand(cli: Cli): Command {
  return new Command('detectors')
    .description('hold face detectors against labelled frames')
    .argument('<labels>', 'a JSON file of images and the faces in them; bench/label-faces.mjs makes one')
    .option('--model <names...>', 'names or .onnx files instead of every detector of the list that is here')
    .addOption(new Option('--device <device>', 'where to run them').choices(DEVICES).default('auto'))
    .option('--json', 'as JSON')
    .action(async (labelsFile: string, _, command: Command) => {
      const options = command.optsWithGlobals<
        GlobalOptions & { model?: string[]; device: Device; json?: true }
      >();
      const path = resolve(labelsFile);
      const labels = await readLabels(path);
      const frames = await Promise.all(labels.frames.map((frame) => readFrame(dirname(path), frame)));
      const rows: Row[] = [];
      for (const file of await chosenDetectors(cli, options, options.model))
        rows.push(...(await measure(file, frames, options.device)));
      if (options.json === true) cli.print(JSON.stringify(rows, null, 2));
      else printTable(cli, rows);
      if (rows.length === 0) {
        cli.complain('No face detector is here; fetch one with: framekiln models pull blazeface-full-range');
        cli.exitCode = ExitCode.environment;
      }
    });
}

async function chosenDetectors(
  cli: Cli,
  options: GlobalOptions,
  names: readonly string[] | undefined,
): Promise<ModelFile[]> {
  const folders = modelFolders(openHome(cli, options).home);
  const manifest = await readKnownModels();
  const here = async () =>
    (await listModels(folders, manifest))
      .filter(({ entry, path }) => entry.purpose === 'face-detector' && path !== null)
      .map(({ entry }) => entry.name);
  const wanted = names ?? (await here());
  return Promise.all(wanted.map((name) => findModel(name, folders, manifest, 'face-detector')));
}

async function measure(file: ModelFile, frames: readonly LabelledFrame[], device: Device): Promise<Row[]> {
  const model = await readFile(file.path);
  const rows: Row[] = [];
  for (const { windows, enoughFaces } of MODES) {
    const options = { device, engines: availableEngines(), threads: 0, enoughFaces };
    const detector = await loadFaceDetector(model, file.name, options);
    try {
      const result = await measureDetector(detector, frames, () => performance.now());
      rows.push({ model: file.name, windows, engine: detector.summary, ...result });
    } finally {
      await detector.dispose();
    }
  }
  return rows;
}

function printTable(cli: Cli, rows: readonly Row[]): void {
  const percent = (share: number | null) => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);
  const sizes = SIZES.map(({ name }) => `RECALL ${name.toUpperCase()}`);
  const header = ['DETECTOR', 'WINDOWS', 'RECALL', ...sizes, 'PRECISION', 'MEAN IOU', 'MS A FRAME'];
  const cells = rows.map(
    ({ model, windows, recall, recallBySize, precision, meanIou, medianMs }): string[] => [
      model,
      windows,
      percent(recall),
      ...recallBySize.map(percent),
      percent(precision),
      meanIou.toFixed(2),
      medianMs.toFixed(1),
    ],
  );
  for (const line of formatTable(header, cells)) cli.print(line);
  const { frames = 0, faces = 0 } = rows[0] ?? {};
  const rule = `scores from ${LEAST_SCORE} on, IoU from 0.5 on; sizes are the face's width over the frame's`;
  cli.print(`${frames} frames with ${faces} faces; ${rule}.`);
}

/** @throws ConfigurationError naming the file and what is wrong with it */
async function readLabels(path: string): Promise<Labels> {
  try {
    return labelsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const faults =
      cause instanceof z.ZodError
        ? cause.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
        : [toError(cause).message];
    const sentence = `The labels ${path} cannot be read: ${faults.join('; ')}.`;
    throw new ConfigurationError(sentence, faults, { cause });
  }
}

async function readFrame(folder: string, { file, faces }: Labels['frames'][number]): Promise<LabelledFrame> {
  const path = resolve(folder, file);
  try {
    const image = sharp(path).removeAlpha().toColourspace('srgb').raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height, faces };
  } catch (cause) {
    const fault = `The image ${path} cannot be read: ${toError(cause).message}.`;
    throw new ConfigurationError(fault, [fault], { cause });
  }
}
