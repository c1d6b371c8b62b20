import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { modelFolders } from '../config/home.ts';
import { Command } from 'commander';
import { PIPELINE_DEFAULTS } from '../config/recipe-presets.ts';
import { FramekilnError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { choosePrecision } from '../inference/choose-precision.ts';
import { isCpuAddonBuilt } from '../inference/cpu-engine.ts';
import { measuredPrecision } from '../inference/measured-precision.ts';
import { describeModel, type ModelDescription } from '../inference/models/describe-model.ts';
import { findModel } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { decodeModel } from '../inference/models/onnx-model.ts';
import { usableThreads } from '../inference/usable-threads.ts';
import { readGroupLimits } from '../lib/control-groups.ts';
import { visibleText } from '../lib/visible-text.ts';
import { formatRate } from '../observability/format-progress.ts';
import type { ModelTrial } from '../trial/check-model.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { existingFile } from './existing-file.ts';
import { openHome, type OpenHome } from './open-home.ts';

/** Frames that people know, for the speed. */
const SIZES = [
  ['640x480', 640 * 480],
  ['1280x720', 1280 * 720],
  ['1920x1080', 1920 * 1080],
] as const;

interface Checked {
  readonly path: string;
  readonly bytes: number;
  /** The published model that this is; null for another one. */
  readonly knownAs: string | null;
  /** As a recipe names it: by its path, unless it is installed. */
  readonly model: string;
  readonly description: ModelDescription;
  /** null if it cannot be used at all. */
  readonly trial: ModelTrial | null;
  /** Why a recipe should not name it; empty if it can be used. */
  readonly faults: readonly string[];
}

/** `framekiln models check`: what an ONNX file is, how fast it runs here, and whether a recipe can name it. */
export function checkCommand(cli: Cli): Command {
  return new Command('check')
    .description('Check whether an ONNX file can upscale, and measure how fast it is on this machine')
    .argument('<file>', 'ONNX file')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, _, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions & { json?: true }>();
      const checked = await check(await existingFile(file), openHome(cli, options));
      if (options.json === true) cli.print(JSON.stringify(checked, null, 2));
      else for (const line of linesOf(checked)) cli.print(visibleText(line));
      if (checked.faults.length > 0) cli.exitCode = ExitCode.failed;
    });
}

async function check(path: string, { home, settings }: OpenHome): Promise<Checked> {
  const bytes = await readFile(path);
  const description = describeModel(decodeModel(bytes, path));
  const manifest = await readKnownModels();
  try {
    const model = await findModel(path, [], manifest);
    const known = manifest.models.find(({ sha256 }) => sha256 === model.sha256);
    const architecture = known?.purpose === 'upscale' ? known.architecture : null;
    const measured = await measuredPrecision(home.precisionsFile, model.sha256);
    const precision = isCpuAddonBuilt()
      ? choosePrecision(settings.engine.precision, { architecture }, measured)
      : undefined;
    const threads = usableThreads(settings.engine.threads, await readGroupLimits());
    const { recipe } = settings;
    const { device } = recipe.pipeline === 'upscale' ? recipe : PIPELINE_DEFAULTS.upscale;
    // Loaded only now, because the engines take longer than most commands.
    const { checkModel } = await import('../trial/check-model.ts');
    const { availableEngines } = await import('../inference/available-engines.ts');
    const trial = await checkModel({ model, device, threads, precision }, availableEngines());
    const isInstalled = known !== undefined && modelFolders(home).includes(dirname(path));
    const names = { knownAs: known?.name ?? null, model: isInstalled ? known.name : path };
    return { path, ...names, bytes: bytes.length, description, trial, faults: trial.faults };
  } catch (error) {
    if (!(error instanceof FramekilnError)) throw error;
    const names = { knownAs: null, model: path };
    return { path, ...names, bytes: bytes.length, description, trial: null, faults: [error.message] };
  }
}

function linesOf({ path, bytes, knownAs, model, description, trial, faults }: Checked): string[] {
  const { producer, opset, parameters, inputs, outputs } = description;
  const facts = [
    `${(bytes / 1e6).toFixed(1)} MB`,
    `${(parameters / 1e6).toFixed(2)} million parameters`,
    ...(opset === null ? [] : [`opset ${opset}`]),
    ...(producer === null ? [] : [`written by ${producer}`]),
    ...(knownAs === null ? [] : [`the published model ${knownAs}`]),
  ];
  const lines = [
    `file: ${path}`,
    `content: ${facts.join(', ')}`,
    `layout: ${inputs.join('; ')} to ${outputs.join('; ')}`,
  ];
  if (trial !== null) {
    const { sizes } = trial;
    const { scale, engine, device, msPerPixel } = trial.speed;
    const speeds = SIZES.map(
      ([size, pixels]) => `${formatRate(1000 / (msPerPixel * pixels))} fps at ${size}`,
    );
    // onnxruntime names its device itself.
    const where = engine.includes(' on the CPU') ? '' : ` on the ${device.toUpperCase()}`;
    lines.push(
      `scale: ${scale}`,
      `sizes: ${sizes}${sizes === 'any' ? '' : '; other frames are padded or divided'}`,
      `speed: ${speeds.join(', ')} (${engine}${where}, without decoding and encoding)`,
    );
  }
  if (faults.length > 0) return [...lines, ...faults.map((fault) => `cannot be used: ${fault}`)];
  return [...lines, `can be used: --model ${model}`];
}
