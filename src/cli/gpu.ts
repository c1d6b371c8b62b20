import { resolve } from 'node:path';
import { Command } from 'commander';
import { programRoot } from '../config/home.ts';
import { programVersion } from '../config/program-version.ts';
import { loadAddon } from '../inference/cuda-engine.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import type { Cli } from './cli.ts';

/** `framekiln gpu`: manages what models need to run on a GPU. */
export function gpuCommand(cli: Cli): Command {
  return new Command('gpu').description('Set up the GPU').addCommand(installCommand(cli));
}

function installCommand(cli: Cli): Command {
  return new Command('install')
    .description(
      'Install the prebuilt CUDA addon, so that models run on an NVIDIA GPU without a CUDA toolkit',
    )
    .requiredOption(
      '--from <folder-or-address>',
      'folder with the packages of a release, or the address of the addon’s package',
    )
    .option(
      '--sha256 <hex>',
      'checksum of the package, required with an address (default: the one in the folder’s SHA256SUMS)',
    )
    .action(async ({ from, sha256 }: { from: string; sha256?: string }) => {
      const { installAddon } = await import('../inference/install-addon.ts');
      const path = await installAddon({
        name: 'cuda',
        from: /^https?:/.test(from) ? from : resolve(from),
        sha256: sha256 ?? null,
        version: programVersion(),
        root: programRoot,
        writeFile: writeFileDurably,
        load: (trial) => void loadAddon(trial),
      });
      cli.print(`CUDA addon installed as ${path}; a running daemon uses it after a restart.`);
    });
}
