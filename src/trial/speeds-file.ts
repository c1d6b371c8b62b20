import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Home } from '../config/home.ts';
import { programVersion } from '../config/program-version.ts';
import type { CoreSpeed, ModelSpeed } from '../domain/speed.ts';
import { storedIdentity } from '../hardware/probe/probe.ts';
import { findAddon } from '../inference/find-addon.ts';
import type { CoreSettings } from './measure-core.ts';

/** Version of the file; increased whenever its form or a way of measuring changes. */
const FORMAT = 1;

/** What is known about the speed of this machine. */
export interface Speeds {
  /** With the encoder settings that it was measured with; null: not measured yet. */
  readonly core: (CoreSpeed & Partial<CoreSettings>) | null;
  /** By the key of `speedKey`. */
  readonly models: Readonly<Record<string, ModelSpeed>>;
}

export const NO_SPEEDS: Speeds = { core: null, models: {} };

interface StoredSpeeds extends Speeds {
  readonly identity: string;
}

/**
 * What was measured on this machine with its present driver, engines and program; everything else is out of date. What cannot be
 * read, for whatever reason, counts as not measured: nothing depends on an estimate.
 */
export async function readSpeeds(home: Pick<Home, 'speedsFile' | 'probeFile'>): Promise<Speeds> {
  try {
    const stored = JSON.parse(await readFile(home.speedsFile, 'utf8')) as StoredSpeeds | null;
    return stored?.identity === (await identify(home)) ? stored : NO_SPEEDS;
  } catch {
    return NO_SPEEDS;
  }
}

export async function writeSpeeds(
  home: Pick<Home, 'speedsFile' | 'probeFile'>,
  { core, models }: Speeds,
): Promise<void> {
  const stored: StoredSpeeds = { identity: await identify(home), core, models };
  const temporaryPath = `${home.speedsFile}.${process.pid}`;
  await writeFile(temporaryPath, `${JSON.stringify(stored, null, 2)}\n`);
  await rename(temporaryPath, home.speedsFile);
}

/** A text that changes with everything that the speeds depend on. */
async function identify(home: Pick<Home, 'probeFile'>): Promise<string> {
  const engines = (['cuda', 'cpu'] as const).map((name) => findAddon(name));
  const parts = [FORMAT, programVersion(), engines, await storedIdentity(home)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
