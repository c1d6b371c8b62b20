import { availableParallelism, cpus } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { modelFolders } from '../config/home.ts';
import { programVersion } from '../config/program-version.ts';
import { PIPELINE_DEFAULTS } from '../config/recipe-presets.ts';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { findModel, installedUpscalers } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { usableThreads } from '../inference/usable-threads.ts';
import { readGroupLimits } from '../lib/control-groups.ts';
import { visibleText } from '../lib/visible-text.ts';
import type { BenchModel, BenchReport } from '../trial/bench-report.ts';
import { measureEncoder, type EncoderSpeed } from '../trial/measure-encoder.ts';
import { availableMemoryBytes } from '../workspace/memory.ts';
import { benchPage } from './bench-page.ts';
import { precisionCommand } from './bench-precision.ts';
import { benchTables } from './bench-tables.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { makeHome, openHome, type OpenHome } from './open-home.ts';
import { parseList } from './parse-arguments.ts';
import { probeMachine } from './probe-machine.ts';

interface BenchOptions extends GlobalOptions {
  readonly models?: readonly string[];
  readonly json?: true;
  readonly html?: string;
}

const ENCODERS = ['h264_nvenc', 'hevc_nvenc', 'libx264', 'libx265', 'libvpx-vp9'] as const;

/** `framekiln bench`: how fast models and encoders are on this machine. */
export function benchCommand(cli: Cli): Command {
  return new Command('bench')
    .description('Measure how fast models and encoders are on this machine')
    .option('--models <names>', 'models, separated by commas (default: all installed)', parseList)
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'also write the report as a web page with charts; an existing file is replaced')
    .action(async (_, self: Command) => {
      const options = self.optsWithGlobals<BenchOptions>();
      const facts = await probeMachine(makeHome(options), (sentence) => cli.complain(sentence));
      const place = openHome(cli, options);
      if (isDaemonRunning(place.home.lockFile))
        cli.complain('a daemon is running on this home; for exact results, pause its queue: framekiln pause');
      const results = await measureAll(cli, place, options.models ?? null);
      const [cpu] = cpus();
      const gpus = (facts?.gpus ?? []).map(({ name }) => name);
      const report: BenchReport = {
        program: programVersion(),
        at: new Date(cli.now()).toISOString(),
        machine: { cpu: cpu?.model ?? 'unknown', cores: availableParallelism(), gpus },
        ...results,
      };
      for (const line of options.json === true ? [JSON.stringify(report, null, 2)] : benchTables(report))
        cli.print(line);
      if (report.missing.length > 0) cli.exitCode = ExitCode.failed;
      if (options.html === undefined) return;
      const path = resolve(options.html);
      await writeFile(path, benchPage(report));
      cli.complain(`charts: ${path}`);
    })
    .addCommand(precisionCommand(cli));
}

async function measureAll(
  cli: Cli,
  { home, settings }: OpenHome,
  wanted: readonly string[] | null,
): Promise<Pick<BenchReport, 'models' | 'encoders' | 'missing'>> {
  const { recipe, engine, encoder, workspace } = settings;
  const { crf, preset } = encoder;
  const tell = (what: string): void => {
    if (cli.interactive) cli.complain(`${visibleText(what)} …`);
  };
  // Loaded only now, because the engines take longer than most commands.
  const { benchLanczos, measureBenchCore, measureBenchModel } = await import('../trial/measure-bench.ts');
  const limits = await readGroupLimits();
  const threads = usableThreads(engine.threads, limits);
  const options = {
    base: recipe.pipeline === 'upscale' ? recipe : PIPELINE_DEFAULTS.upscale,
    freeBytes: (await availableMemoryBytes()) * (1 - workspace.memoryFraction),
    ...{ threads, core: await measureBenchCore({ crf, preset }) },
  };
  const known = await readKnownModels();
  const models: BenchModel[] = [benchLanczos(options)];
  const missing: { model: string; reason: string }[] = [];
  for (const name of wanted ?? (await installedUpscalers(modelFolders(home), known))) {
    if (name === 'lanczos') continue;
    tell(name);
    try {
      const model = await findModel(name, modelFolders(home), known, 'upscale');
      const before = models.length;
      for await (const row of measureBenchModel(model, name, options)) models.push(row);
      if (models.length === before) missing.push({ model: name, reason: 'no engine could run it' });
    } catch (error) {
      missing.push({ model: name, reason: toError(error).message });
    }
  }
  const encoders: EncoderSpeed[] = [];
  const cores = threads === 0 ? availableParallelism() : threads;
  for (const name of ENCODERS) {
    tell(name);
    encoders.push(await measureEncoder(name, { crf, preset, threads: cores }));
  }
  return { models, encoders, missing };
}
