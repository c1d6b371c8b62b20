import { createHash, randomBytes } from 'node:crypto';
import { copyFile, link, lstat, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../../domain/errors.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import {
  ConditionFailed,
  type GetFileOptions,
  type ListedObject,
  type ObjectHead,
  type ObjectStore,
  type PutCondition,
  type PutFileOptions,
  type StoredObject,
} from './object-store.ts';

/** End of the names of files that are being written; no key has it. */
const TEMPORARY = '.framekiln-part';

/**
 * Objects as files in a folder that all machines see, such as a network share. An object gets its name when it is whole:
 * by link(2) where the key must be free, of which one machine alone succeeds, and by rename(2) otherwise. `ifMatch` is a check
 * before the rename and not atomic, because no file system has such a call; the cluster does not use it for writes.
 */
export class FolderStore implements ObjectStore {
  readonly #root: string;

  /** @param root absolute path of an existing folder */
  constructor(root: string) {
    this.#root = root;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    try {
      const path = this.#path(key);
      const body = await readFile(path);
      return { body, etag: etagOf(await stat(path)) };
    } catch (error) {
      if (isMissingFile(error)) return undefined;
      throw error;
    }
  }

  async put(key: string, body: Buffer | string, condition?: PutCondition): Promise<string> {
    return this.#write(key, condition, async (path) => {
      const file = await open(path, 'wx');
      try {
        await file.writeFile(body);
      } finally {
        await file.close();
      }
    });
  }

  async getFile(key: string, path: string, { ifMatch, signal }: GetFileOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const from = this.#path(key);
    const etag = etagOf(await stat(from));
    if (ifMatch !== undefined && etag !== ifMatch) throw new ConditionFailed(`The file ${from} was changed.`);
    const part = `${path}.part`;
    await copyFile(from, part);
    if (etagOf(await stat(from)) !== etag)
      throw new ConditionFailed(`The file ${from} was changed while it was read.`);
    await rename(part, path);
  }

  async putFile(key: string, path: string, { ifNoneMatch, signal }: PutFileOptions = {}): Promise<string> {
    signal?.throwIfAborted();
    const condition = ifNoneMatch === undefined ? undefined : { ifNoneMatch };
    return this.#write(key, condition, (temporaryPath) => copyFile(path, temporaryPath));
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    try {
      const found = await stat(this.#path(key));
      return { size: found.size, etag: etagOf(found) };
    } catch (error) {
      if (isMissingFile(error)) return undefined;
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    const folder = prefix.includes('/') ? prefix.slice(0, prefix.lastIndexOf('/')) : '';
    for (const key of await this.#keysIn(folder)) {
      const head = key.startsWith(prefix) ? await this.head(key) : undefined;
      if (head !== undefined) yield { key, ...head };
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await rm(path, { force: true });
    await removeEmptyFolders(dirname(path), this.#root);
  }

  /** @throws Error for a key that leads out of the folder */
  #path(key: string): string {
    const isSafe = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    if (!isSafe || key.includes('\0')) throw new Error(`${JSON.stringify(key)} is no key of a store.`);
    return join(this.#root, key);
  }

  async #write(
    key: string,
    condition: PutCondition | undefined,
    write: (temporaryPath: string) => Promise<void>,
  ): Promise<string> {
    const path = this.#path(key);
    // A share that is not mounted is an empty folder, or none; its root is never made.
    await stat(this.#root);
    makeFolder(dirname(path));
    const temporaryPath = `${path}.${randomBytes(8).toString('hex')}${TEMPORARY}`;
    try {
      await write(temporaryPath);
      await sync(temporaryPath);
      await this.#name(temporaryPath, path, condition);
    } finally {
      await rm(temporaryPath, { force: true });
    }
    return etagOf(await stat(path));
  }

  async #name(temporaryPath: string, path: string, condition: PutCondition | undefined): Promise<void> {
    if (condition === undefined) return rename(temporaryPath, path);
    if ('ifMatch' in condition) {
      const etag = await stat(path).then(etagOf, () => null);
      if (etag !== condition.ifMatch) throw new ConditionFailed(`The file ${path} was changed.`);
      return rename(temporaryPath, path);
    }
    try {
      await link(temporaryPath, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        throw new ConditionFailed(`The file ${path} exists already.`, { cause: error });
      throw error;
    }
  }

  async #keysIn(folder: string): Promise<string[]> {
    try {
      const entries = await readdir(join(this.#root, folder), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith(TEMPORARY))
        .map((entry) => join(entry.parentPath, entry.name).slice(this.#root.length + 1))
        .sort();
    } catch (error) {
      if (isMissingFile(error)) return [];
      throw error;
    }
  }
}

/** A file that was replaced or written has another inode, size or time. */
function etagOf({ size, mtimeMs, ino }: { size: number; mtimeMs: number; ino: number }): string {
  return createHash('sha256').update(`${ino} ${size} ${mtimeMs}`).digest('hex').slice(0, 32);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Removes folders that have become empty, up to the root. */
async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let at = folder; at.startsWith(`${root}/`); at = dirname(at)) {
    try {
      if (!(await lstat(at)).isDirectory()) return;
      await rmdir(at);
    } catch {
      return; // Not empty, or gone already.
    }
  }
}
