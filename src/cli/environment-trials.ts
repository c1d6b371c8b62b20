import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import { toError } from '../domain/errors.ts';
import type { EncoderTrial } from '../hardware/checks/encoders.ts';
import type { RamDiskTrial } from '../hardware/checks/ram-disk.ts';
import { ownOwner } from '../lib/process/process-identity.ts';
import { tryEncoder } from '../media/encode/try-encoder.ts';
import { whyNotNvenc } from '../media/encode/try-nvenc.ts';
import {
  NVENC_ENCODER,
  SOFTWARE_ENCODER,
  type EncoderName,
  type EncoderSettings,
} from '../media/encode/encoder-arguments.ts';
import { newHomeId } from '../daemon/recognise-home.ts';
import { ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { openRamDisk, removeRamDisk } from '../workspace/ram-disk.ts';

const CODECS = ['h264', 'hevc'] as const;
const IMAGE = { width: 640, height: 480, pixelFormat: 'rgb24' } as const;

/** Encodes a few frames with each encoder that a job may choose. */
export async function tryEncoders(settings: Settings): Promise<EncoderTrial[]> {
  const request = { crf: settings.encoder.crf, preset: settings.encoder.preset, threads: 1 };
  const trials: EncoderTrial[] = [];
  for (const codec of CODECS) {
    const software = SOFTWARE_ENCODER[codec];
    trials.push({ encoder: software, hardware: false, whyNot: await whyNotEncoded(software, request) });
    if (!settings.encoder.nvenc) continue;
    const whyNot = await whyNotNvenc(codec, IMAGE, request);
    trials.push({ encoder: NVENC_ENCODER[codec], hardware: true, whyNot: whyNot?.text ?? null });
  }
  return trials;
}

async function whyNotEncoded(encoder: EncoderName, settings: EncoderSettings): Promise<string | null> {
  try {
    await tryEncoder(encoder, IMAGE, settings);
    return null;
  } catch (error) {
    return toError(error).message;
  }
}

/** Opens a RAM disk as a job would, under a name of its own, and removes it again. */
export async function tryRamDisk(home: Home, settings: Settings): Promise<RamDiskTrial> {
  const stateDir = join(home.stateDir, 'doctor');
  const places = ramDiskPlaces({ stateDir, id: newHomeId() });
  const disk = await openRamDisk(
    places,
    { jobId: 0, token: 0 },
    { owner: ownOwner(), contents: 'trial' },
    settings.workspace,
  );
  await removeRamDisk(disk);
  await rm(stateDir, { recursive: true, force: true });
  return disk;
}
