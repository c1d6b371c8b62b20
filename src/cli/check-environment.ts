import { availableParallelism } from 'node:os';
import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import { runChecks, type NamedCheckResult } from '../hardware/check.ts';
import { checkDiskSpace } from '../hardware/checks/disk-space.ts';
import { checkEncoders } from '../hardware/checks/encoders.ts';
import { checkFfmpeg } from '../hardware/checks/ffmpeg.ts';
import { checkGpu } from '../hardware/checks/gpu.ts';
import { checkInotifyLimits } from '../hardware/checks/inotify-limits.ts';
import { checkMachine } from '../hardware/checks/machine.ts';
import { checkNetworks, type NetworkFinding } from '../hardware/checks/networks.ts';
import { checkNodeVersion } from '../hardware/checks/node-version.ts';
import { checkRamDisk } from '../hardware/checks/ram-disk.ts';
import { checkWriteRights } from '../hardware/checks/write-rights.ts';
import { describeGpus } from '../inference/cuda-engine.ts';
import { listNetworks, verifyNetworks } from '../inference/networks/find-network.ts';
import { runForText } from '../media/run-ffmpeg.ts';
import { availableMemoryBytes } from '../workspace/memory.ts';
import { tryEncoders, tryRamDisk } from './environment-trials.ts';
import { networkFolders, readKnownNetworks } from './networks.ts';

/**
 * Looks at everything that a job needs, mostly by trying it. Takes a second or two and leaves nothing behind.
 *
 * @param network of the recipe that is to be used
 */
export function checkEnvironment(
  home: Home,
  settings: Settings,
  network: string,
): Promise<NamedCheckResult[]> {
  const folders = [home.input, home.output, home.logs, home.models, home.stateDir];
  const versionOf = (program: 'ffmpeg' | 'ffprobe') => () =>
    runForText(program, ['-version'], { purpose: 'asking for its version' });
  return runChecks({
    node: () => checkNodeVersion(process.versions.node),
    ffmpeg: () => checkFfmpeg('ffmpeg', versionOf('ffmpeg')),
    ffprobe: () => checkFfmpeg('ffprobe', versionOf('ffprobe')),
    encoders: async () => checkEncoders(await tryEncoders(settings)),
    gpu: () => {
      const { devices, reason } = describeGpus();
      return checkGpu(devices, reason);
    },
    networks: async () => checkNetworks(await findNetworks(home), network === 'lanczos' ? null : network),
    'ram disk': async () => checkRamDisk(await tryRamDisk(home, settings)),
    'disk space': () => checkDiskSpace(home.root),
    'write rights': () => checkWriteRights(folders),
    inotify: () => checkInotifyLimits(),
    machine: async () =>
      checkMachine({ cores: availableParallelism(), memoryBytes: await availableMemoryBytes() }),
  });
}

async function findNetworks(home: Home): Promise<NetworkFinding[]> {
  const manifest = await readKnownNetworks();
  const listed = await listNetworks(networkFolders(home), manifest);
  const verified = await verifyNetworks(networkFolders(home), manifest);
  const damaged = new Set(verified.filter(({ error }) => error !== null).map(({ entry }) => entry.name));
  return listed.map(({ entry: { name }, path }) => {
    if (path === null) return { name, state: 'missing' };
    return { name, state: damaged.has(name) ? 'damaged' : 'ok' };
  });
}
