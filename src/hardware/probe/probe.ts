import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Home } from '../../config/home.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { describeDetected } from './detected-settings.ts';
import { identifyFfmpeg, listFfmpegCapabilities, type FfmpegFacts } from './ffmpeg-facts.ts';
import { probeGpus, type GpuFacts } from './gpus.ts';
import type { HardwareFacts } from './hardware-facts.ts';
import { readMachineFacts, type MachineFacts } from './machine-facts.ts';
import { countDecoders, countEncoders } from './sessions.ts';

/** Version of the stored facts; increased whenever their form, or a setting derived from them, changes. */
const FORMAT = 6;

/** Folder of the render nodes, the GPU devices that need no screen. */
const RENDER_NODES = '/dev/dri';

interface StoredFacts {
  /** Everything that the facts depend on: driver, GPUs, ffmpeg, processor, memory. */
  readonly identity: string;
  readonly facts: HardwareFacts;
}

export interface ProbeOptions {
  readonly home: Pick<Home, 'probeFile' | 'detectedFile'>;
  /** Path of the CUDA addon; null if it is not built. */
  readonly addonPath: string | null;
  /** Probe even if stored facts are valid. */
  readonly again: boolean;
  /** Called before trials, which take seconds. */
  readonly onLongProbe: () => void;
}

/**
 * Finds out by trials what this machine can do, and writes the result into `detected.yaml` as settings with reasons.
 * The trials run again only on request or when the driver, the GPUs, ffmpeg or the machine changed. A trial that hangs
 * is killed and recorded as hanging.
 */
export async function probeHardware(options: ProbeOptions): Promise<HardwareFacts> {
  const { home, addonPath, again, onLongProbe } = options;
  const [gpuFacts, ffmpeg, machine] = await Promise.all([
    probeGpus(addonPath),
    identifyFfmpeg(),
    readMachineFacts(),
  ]);
  const identity = identify(gpuFacts, ffmpeg, machine);
  const known = await readStored(home.probeFile);
  // A driver that does not answer this time says nothing new, so stored facts stay valid.
  const isValid = known?.identity === identity || (gpuFacts.driver === 'silent' && isOfThisFormat(known));
  if (!again && known !== null && isValid) return known.facts;
  onLongProbe();
  const nvenc = ffmpeg === null ? [] : await countEncoders();
  const facts: HardwareFacts = {
    ...gpuFacts,
    machine,
    ffmpeg: ffmpeg === null ? null : { ...ffmpeg, ...(await listFfmpegCapabilities()) },
    nvenc,
    nvdec: ffmpeg === null || gpuFacts.gpus.length === 0 ? [] : await countDecoders('cuda'),
    vaapi: ffmpeg === null || !existsSync(RENDER_NODES) ? [] : await countDecoders('vaapi'),
  };
  const stored: StoredFacts = { identity, facts };
  // These files need not survive a power cut: if they are lost, they are written again.
  await writeFile(home.detectedFile, describeDetected(facts));
  await writeFile(home.probeFile, `${JSON.stringify(stored, null, 2)}\n`);
  return facts;
}

function identify(
  { gpus, reason }: GpuFacts,
  ffmpeg: Pick<FfmpegFacts, 'path' | 'version'> | null,
  { processor, cores, memoryBytes, limits }: MachineFacts,
): string {
  const devices = gpus.map(({ name, driver, totalBytes }) => ({ name, driver, totalBytes }));
  return JSON.stringify([FORMAT, devices, reason, ffmpeg, processor, cores, memoryBytes, limits]);
}

/** What the stored facts depend on: another text means another machine, driver or ffmpeg. Empty without stored facts. */
export async function storedIdentity({ probeFile }: Pick<Home, 'probeFile'>): Promise<string> {
  return (await readStored(probeFile))?.identity ?? '';
}

function isOfThisFormat(known: StoredFacts | null): boolean {
  return known?.identity.startsWith(`[${FORMAT},`) === true;
}

/** Stored facts; null if there are none or the file is truncated. */
async function readStored(path: string): Promise<StoredFacts | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as StoredFacts;
  } catch (error) {
    if (isMissingFile(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}
