import { join } from 'node:path';
import { programRoot } from '../../config/home.ts';
import { readManifest, type Manifest } from './manifest.ts';

let manifest: Promise<Manifest> | null = null;

/** The models that this version knows, read once. */
export function readKnownModels(): Promise<Manifest> {
  manifest ??= readManifest(join(programRoot, 'models', 'manifest.json'));
  return manifest;
}
