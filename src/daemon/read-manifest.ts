import { join } from 'node:path';
import { programRoot } from '../config/home.ts';
import { readManifest, type Manifest } from '../inference/models/manifest.ts';

let manifest: Promise<Manifest> | null = null;

/** The models that this version knows, read once. */
export function readManifestOfProgram(): Promise<Manifest> {
  manifest ??= readManifest(join(programRoot, 'models', 'manifest.json'));
  return manifest;
}
