import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Parser } from 'tar';
import { EngineError, toError } from '../domain/errors.ts';
import { addonFile, addonPackage, installedAddonPath, type AddonName } from './find-addon.ts';

export interface InstallOptions {
  readonly name: AddonName;
  /** A folder with the packages of a release and their SHA256SUMS, or the address of the addon's package. */
  readonly from: string;
  /** The checksum that the package must have; null: the one in the folder's SHA256SUMS. */
  readonly sha256: string | null;
  /** Version of this program; an addon of another version may not know its model plans. */
  readonly version: string;
  /** Folder of the program. */
  readonly root: string;
  /** Writes a whole file durably and atomically (workspace/durable-file.ts). */
  readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>;
  /** Loads the addon; throws if this machine cannot load it. */
  readonly load: (path: string) => void;
}

/**
 * Installs a prebuilt addon from the npm package of a release, if its checksum and version are right and it can be loaded.
 *
 * @returns its path
 * @throws EngineError ENGINE_UNAVAILABLE; nothing has changed then
 */
export async function installAddon(options: InstallOptions): Promise<string> {
  const { name, sha256, version, root, writeFile } = options;
  const file = `${addonPackage(name).replace('@', '').replace('/', '-')}-${version}.tgz`;
  const { tarball, place, listed } = await readPackage(options, file);
  const found = createHash('sha256').update(tarball).digest('hex');
  const expected = (sha256 ?? listed)?.toLowerCase();
  if (expected === undefined)
    throw unavailable(
      `SHA256SUMS in ${options.from} has no line for ${file}; give its checksum with --sha256`,
    );
  if (found !== expected)
    throw unavailable(`${place} has the SHA-256 checksum ${found} instead of ${expected}`);
  const files = await filesOf(tarball);
  const manifest = JSON.parse(String(files.get('package/package.json') ?? '{}')) as Record<string, unknown>;
  const addon = files.get(`package/${addonFile(name)}`);
  if (addon === undefined || manifest['name'] !== addonPackage(name))
    throw unavailable(`${place} is not the package ${addonPackage(name)}`);
  if (manifest['version'] !== version)
    throw unavailable(
      `${place} has version ${String(manifest['version'])}, but this is Framekiln ${version}`,
    );
  const path = installedAddonPath(name, root);
  const trial = join(dirname(path), `new-${basename(path)}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(trial, addon);
    options.load(trial);
    await writeFile(path, addon);
  } catch (error) {
    throw unavailable(toError(error).message, error);
  } finally {
    await rm(trial, { force: true });
  }
  return path;
}

/** The package, its path or address, and its checksum if it is in a folder with SHA256SUMS. */
async function readPackage(
  { from, sha256 }: InstallOptions,
  file: string,
): Promise<{ tarball: Buffer; place: string; listed: string | null }> {
  try {
    if (/^https?:\/\//.test(from)) {
      // A checksum from the same server would prove nothing: the addon runs with the rights of the user.
      if (sha256 === null) throw new Error('an address needs --sha256 with the checksum of the package');
      const response = await fetch(from);
      if (!response.ok) throw new Error(`the server responds with status ${response.status}`);
      return { tarball: Buffer.from(await response.arrayBuffer()), place: from, listed: null };
    }
    const place = join(from, file);
    const tarball = await readFile(place);
    if (sha256 !== null) return { tarball, place, listed: null };
    const lines = (await readFile(join(from, 'SHA256SUMS'), 'utf8')).split('\n');
    const line = lines.find((each) => each.endsWith(`  ${file}`));
    return { tarball, place, listed: line?.split(' ')[0] ?? null };
  } catch (error) {
    throw unavailable(`cannot read the package from ${from}: ${toError(error).message}`, error);
  }
}

async function filesOf(tarball: Buffer): Promise<Map<string, Buffer>> {
  const entries: Promise<[path: string, bytes: Buffer]>[] = [];
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => void entries.push(entry.concat().then((bytes) => [entry.path, bytes])),
    });
    parser.on('end', resolve);
    parser.on('error', reject);
    parser.end(tarball);
  });
  return new Map(await Promise.all(entries));
}

function unavailable(reason: string, cause?: unknown): EngineError {
  const message = `The addon was not installed: ${reason}.`;
  return new EngineError('ENGINE_UNAVAILABLE', message, { cause });
}
