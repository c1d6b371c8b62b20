import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What an earlier set-up noted in `file`; null where there is no note or it cannot be read, which only means that
 * the step is done again.
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
 * sha256 over names and contents of files; folders are walked. Added, removed, renamed and changed files all show.
 *
 * @param {string} root
 * @param {string[]} names relative to `root`; one that is missing counts as absent
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
