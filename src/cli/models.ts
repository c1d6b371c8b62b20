import { modelFolders } from '../config/home.ts';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { ExitCode } from '../domain/exit-codes.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { listModels, verifyModels } from '../inference/models/find-model.ts';
import { formatDuration } from '../observability/format-progress.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import { checkCommand } from './check-model.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatTable } from './format-table.ts';
import { openHome } from './open-home.ts';
import { createProgressBar } from './progress-bar.ts';

const MEGABYTE = 1e6;

/** `framekiln models`: manages the models on this machine. */
export function modelsCommand(cli: Cli): Command {
  return new Command('models')
    .description('List, download, verify and check models')
    .addCommand(listCommand(cli))
    .addCommand(pullCommand(cli))
    .addCommand(verifyCommand(cli))
    .addCommand(checkCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command('list')
    .description('List the available models and where they are installed')
    .action(async (_, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const listed = await listModels(modelFolders(home), await readKnownModels());
      const rows = listed.map(({ entry, path }) => {
        const size = `${(entry.bytes / MEGABYTE).toFixed(1)} MB`;
        const scale = entry.purpose === 'upscale' ? `x${entry.scale}` : '-';
        return [entry.name, scale, size, entry.licence, path ?? 'not installed', entry.description];
      });
      const header = ['NAME', 'SCALE', 'SIZE', 'LICENCE', 'PATH', 'DESCRIPTION'];
      for (const line of formatTable(header, rows)) cli.print(line);
    });
}

function pullCommand(cli: Cli): Command {
  return new Command('pull')
    .description('Download, convert and verify models')
    .argument('<names...>', 'model names, as shown by framekiln models list')
    .option(
      '--from <folder>',
      'folder with the published model files; needed for models that cannot be downloaded',
    )
    .action(async (names: string[], _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { from?: string }>();
      const { home } = openHome(cli, options);
      const manifest = await readKnownModels();
      const from = options.from === undefined ? null : resolve(options.from);
      // Loaded only now, because npm's own libraries take longer than most commands.
      const { fetchModel } = await import('../inference/models/fetch-model.ts');
      for (const name of names) {
        const title = `${from === null ? 'Downloading' : 'Installing'} ${name}`;
        if (!cli.interactive) cli.print(`${title} …`);
        const startedAtMs = cli.now();
        const bar = createProgressBar(cli, title);
        const onProgress = (received: number, total: number) =>
          bar.update(
            received,
            total,
            `${Math.round(received / MEGABYTE)} of ${Math.round(total / MEGABYTE)} MB`,
          );
        try {
          const writeFile = writeFileDurably;
          const { path } = await fetchModel(name, {
            manifest,
            into: home.models,
            from,
            writeFile,
            onProgress,
          });
          bar.stop();
          cli.print(`${name} installed as ${path} in ${formatDuration(cli.now() - startedAtMs)}.`);
        } finally {
          bar.stop();
        }
      }
    });
}

function verifyCommand(cli: Cli): Command {
  return new Command('verify')
    .description('Verify the SHA-256 checksum of every installed model')
    .action(async (_, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const verified = await verifyModels(modelFolders(home), await readKnownModels());
      for (const { path, error } of verified) {
        if (error === null) cli.print(`ok: ${path}`);
        else cli.complain(error.message);
      }
      if (verified.length === 0) cli.print('No models are installed.');
      if (verified.some(({ error }) => error !== null)) cli.exitCode = ExitCode.environment;
    });
}
