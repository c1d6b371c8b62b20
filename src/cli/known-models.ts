import { join } from 'node:path';
import { programRoot, type Home } from '../config/home.ts';
import { readManifest, type Manifest } from '../inference/models/manifest.ts';

/** Where models are looked for, in order: the home's own folder, then the program's. */
export function modelFolders(home: Home): string[] {
  return [...new Set([home.models, join(programRoot, 'models')])];
}

/** The models that this version knows. */
export function readKnownModels(): Promise<Manifest> {
  return readManifest(join(programRoot, 'models', 'manifest.json'));
}
