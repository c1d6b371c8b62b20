import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The stamp that an earlier set-up wrote to `file`; null where it is missing or unreadable, in which case the step is
 * repeated.
 *
 * @param {string} file
 * @returns {unknown}
 */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {string} file
 * @param {unknown} value
 */
export function writeStamp(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * sha256 over the names and contents of files; folders are walked. It changes when a file is added, removed, renamed
 * or changed.
 *
 * @param {string} root
 * @param {string[]} names relative to `root`; missing ones are skipped
 * @returns {string} hex
 */
export function hashFiles(root, names) {
  const hash = createHash('sha256');
  const visit = (name) => {
    const path = join(root, name);
    let entries;
    try {
      entries = readdirSync(path);
    } catch (error) {
      if (error.code === 'ENOENT') return;
      if (error.code !== 'ENOTDIR') throw error;
      const content = readFileSync(path);
      hash.update(`${name}\0${content.length}\0`).update(content);
      return;
    }
    for (const entry of entries.sort()) visit(join(name, entry));
  };
  for (const name of names) visit(name);
  return hash.digest('hex');
}
