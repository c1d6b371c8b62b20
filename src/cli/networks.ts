import { join } from 'node:path';
import { programRoot, type Home } from '../config/home.ts';
import { readManifest, type Manifest } from '../inference/networks/manifest.ts';

/** Where networks are looked for, in order: the home's own folder, then the program's. */
export function networkFolders(home: Home): string[] {
  return [...new Set([home.models, join(programRoot, 'models')])];
}

/** The networks that this version knows. */
export function readKnownNetworks(): Promise<Manifest> {
  return readManifest(join(programRoot, 'models', 'manifest.json'));
}
