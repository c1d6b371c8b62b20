import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { programRoot } from '../config/home.ts';
import { judgeGpuUse, type GpuUse } from '../hardware/gpu-use.ts';
import { askAddon, type AddonReport } from '../hardware/probe/addon-report.ts';
import { probeGpus, type GpuFacts } from '../hardware/probe/gpus.ts';
import { readGraphics, type Graphics } from '../hardware/probe/graphics.ts';
import { findAdapter, type FoundAdapter } from '../inference/webgpu/find-adapter.ts';
import { addonPath } from '../inference/cuda-engine.ts';

/**
 * Finds out which device models run on.
 *
 * @param driver what the probe has found; null if the probe failed, for example because the disk is full
 * @param graphics those of this machine, unless a test says otherwise
 */
export async function findGpuUse(
  driver: GpuFacts | null,
  graphics: Graphics = readGraphics(),
  addon: string | null = addonPath(),
  webGpu: () => Promise<FoundAdapter> = findAdapter,
): Promise<GpuUse> {
  const facts = driver ?? (await probeGpus(addon));
  const situation = {
    driver: facts,
    addon: addon === null ? null : await report(facts, addon),
    graphics,
    hasSources: existsSync(join(programRoot, 'native-cuda', 'CMakeLists.txt')),
  };
  return judgeGpuUse(situation, async () => {
    const found = await webGpu();
    return found.adapter === null ? { ...found, gpu: null } : { gpu: found.adapter.name };
  });
}

async function report({ gpus, driver }: GpuFacts, path: string): Promise<AddonReport> {
  const unknown = { devices: [], reason: 'the driver does not respond', cudaVersion: 'unknown' };
  // Without a driver it finds nothing, and a driver that hangs would hang it too.
  if (gpus.length === 0 || driver === 'silent') return unknown;
  const found = await askAddon(path);
  return found === 'silent' ? unknown : found;
}
