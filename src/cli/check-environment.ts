import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { modelFolders, programRoot, type Home } from '../config/home.ts';
import type { LoadedSettings } from '../config/load-settings.ts';
import { runChecks, type Checks, type NamedCheckResult } from '../hardware/check.ts';
import { checkCpuEngine } from '../hardware/checks/cpu-engine.ts';
import { checkDiskSpace } from '../hardware/checks/disk-space.ts';
import { checkDriver } from '../hardware/checks/driver.ts';
import { checkEncoders } from '../hardware/checks/encoders.ts';
import { checkFfmpeg } from '../hardware/checks/ffmpeg.ts';
import { checkGpu } from '../hardware/checks/gpu.ts';
import { checkInotifyLimits } from '../hardware/checks/inotify-limits.ts';
import { checkMachine } from '../hardware/checks/machine.ts';
import { checkModels, type ModelFinding } from '../hardware/checks/models.ts';
import { checkNodeVersion } from '../hardware/checks/node-version.ts';
import { checkRamDisk } from '../hardware/checks/ram-disk.ts';
import { checkSessions } from '../hardware/checks/sessions.ts';
import { checkSettings } from '../hardware/checks/settings.ts';
import { checkWriteRights } from '../hardware/checks/write-rights.ts';
import { probeGpus } from '../hardware/probe/gpus.ts';
import { readMachineFacts } from '../hardware/probe/machine-facts.ts';
import type { HardwareFacts } from '../hardware/probe/hardware-facts.ts';
import { addonPath } from '../inference/cuda-engine.ts';
import { describeCpuEngine } from '../inference/cpu-engine.ts';
import { addonPackage } from '../inference/find-addon.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { listModels, pullCommand, verifyModels } from '../inference/models/find-model.ts';
import { runForText } from '../media/ffmpeg/run-for-text.ts';
import { availableMemoryBytes } from '../workspace/memory.ts';
import { checkCluster } from './check-cluster.ts';
import { tryEncoders, tryRamDisk } from './environment-trials.ts';
import { findGpuUse } from './find-gpu-use.ts';

export interface Place extends Pick<LoadedSettings, 'settings' | 'faults'> {
  readonly home: Home;
  /** The probed hardware; null if the probe failed. */
  readonly facts: HardwareFacts | null;
}

/**
 * Checks everything that a job needs, mostly by trying it. Takes a few seconds and removes all its files.
 *
 * @param model the model of the recipe to check
 */
export function checkEnvironment(place: Place, model: string): Promise<NamedCheckResult[]> {
  const { home, settings, facts } = place;
  const versionOf = (program: 'ffmpeg' | 'ffprobe') => () =>
    runForText(program, ['-version'], { purpose: 'printing its version' });
  return runChecks({
    node: () => checkNodeVersion(process.versions.node),
    ffmpeg: () => checkFfmpeg('ffmpeg', versionOf('ffmpeg')),
    ffprobe: () => checkFfmpeg('ffprobe', versionOf('ffprobe')),
    encoders: async () => checkEncoders(await tryEncoders(settings)),
    gpu: async () => checkGpu(await findGpuUse(facts)),
    'cpu engine': () => {
      const { instructionSets, reason } = describeCpuEngine();
      const isProject = existsSync(join(programRoot, 'native-cpu', 'addon'));
      return checkCpuEngine(instructionSets, reason, isProject ? null : addonPackage('cpu'));
    },
    models: async () => checkModels(await findModels(home), model === 'lanczos' ? null : model),
    'ram disk': async () => checkRamDisk(await tryRamDisk(home, settings)),
    ...(settings.cluster.database === '' ? {} : { cluster: () => checkCluster(settings.cluster) }),
    ...quickChecks(place),
  });
}

/** The checks that need no trial; they also run at every start. */
export function quickChecks({ home, facts, faults }: Place): Checks {
  const folders = [home.input, home.output, home.logs, home.models, home.stateDir];
  const hasGpu = facts !== null && facts.gpus.length > 0;
  return {
    'disk space': () => checkDiskSpace(home.root),
    'write rights': () => checkWriteRights(folders),
    inotify: () => checkInotifyLimits(),
    machine: async () => {
      const { cores, limits } = await readMachineFacts();
      return checkMachine({ cores, limits, memoryBytes: await availableMemoryBytes() });
    },
    driver: async () => checkDriver(facts ?? (await probeGpus(addonPath()))),
    nvenc: () => checkSessions('NVENC', facts?.nvenc ?? null, hasGpu),
    nvdec: () => checkSessions('NVDEC', facts?.nvdec ?? null, hasGpu),
    settings: () => checkSettings(faults),
  };
}

async function findModels(home: Home): Promise<ModelFinding[]> {
  const manifest = await readKnownModels();
  const listed = await listModels(modelFolders(home), manifest);
  const verified = await verifyModels(modelFolders(home), manifest);
  const damaged = new Set(verified.filter(({ error }) => error !== null).map(({ entry }) => entry.name));
  return listed.map(({ entry, path }) => {
    const { name } = entry;
    const state = path === null ? 'missing' : damaged.has(name) ? 'damaged' : 'ok';
    return { name, state, path, command: pullCommand(entry) };
  });
}
