import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { programRoot } from '../config/home.ts';

export type AddonName = 'cuda' | 'cpu';

/** The npm package that brings a prebuilt addon for this platform. */
export function addonPackage(name: AddonName): string {
  return `@framekiln/native-${name}-${process.platform}-${process.arch}`;
}

/** The file name of an addon, the same in every place. */
export function addonFile(name: AddonName): string {
  return `framekiln_${name}.node`;
}

/** Where `framekiln gpu install` puts an addon. */
export function installedAddonPath(name: AddonName, root = programRoot): string {
  return join(root, `native-${name}`, 'prebuilt', addonFile(name));
}

/**
 * Path of a native addon, or null if there is none: one that `framekiln gpu install` put there, else that of the npm package
 * for this platform, else one that a compiler built here.
 *
 * @param root folder of the program
 */
export function findAddon(name: AddonName, root = programRoot): string | null {
  const built = join(root, `native-${name}`, 'build', addonFile(name));
  const candidates = [installedAddonPath(name, root), inPackage(name, root), built];
  return candidates.find((path) => path !== null && existsSync(path)) ?? null;
}

function inPackage(name: AddonName, root: string): string | null {
  const folders = createRequire(join(root, 'package.json')).resolve.paths(addonPackage(name)) ?? [];
  const paths = folders.map((folder) => join(folder, addonPackage(name), addonFile(name)));
  return paths.find((path) => existsSync(path)) ?? null;
}
