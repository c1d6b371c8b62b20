import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { availableMemoryBytes, spareMemoryBytes } from '../../../src/workspace/memory.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const MB = 1e6;

/** The kernel's files on a machine with 1024 MB (of 1000 kB) available; `files` by path below the groups' mount. */
function available(ownGroups: string, files: Record<string, string>): Promise<number> {
  const root = temporaryFolder();
  const places = {
    meminfo: join(root, 'meminfo'),
    ownGroups: join(root, 'own'),
    groups: join(root, 'groups'),
  };
  writeFileSync(places.meminfo, 'MemTotal: 9000000 kB\nMemAvailable:    1000000 kB\n');
  writeFileSync(places.ownGroups, ownGroups);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(places.groups, path)), { recursive: true });
    writeFileSync(join(places.groups, path), `${text}\n`);
  }
  return availableMemoryBytes(places);
}

/** A group of the second version. `cache` is in files, and can be taken back. */
function group(path: string, [limit, used, cache]: [string, number, number]): Record<string, string> {
  const stat = `anon 5\nshmem 7\ninactive_anon 11\nactive_file ${cache / 2}\ninactive_file ${cache / 2}`;
  return {
    [join(path, 'memory.max')]: limit,
    [join(path, 'memory.current')]: String(used),
    [join(path, 'memory.stat')]: stat,
  };
}

test('without a group that has a limit, the system counts', async () => {
  expect(await available('', {})).toBe(1_024_000_000);
  expect(await available('0::/a', group('a', ['max', 900 * MB, 0]))).toBe(1_024_000_000);
});

test('of a group counts what is left, not its limit, and its page cache is free', async () => {
  expect(await available('0::/a/b', group('a/b', [String(500 * MB), 400 * MB, 100 * MB]))).toBe(200 * MB);
  // Above its limit, as after the limit was lowered.
  expect(await available('0::/a', group('a', [String(500 * MB), 600 * MB, 0]))).toBe(0);
});

test('the tightest group around us counts', async () => {
  const files = { ...group('a', [String(300 * MB), 250 * MB, 0]), ...group('a/b', [String(900 * MB), 1, 0]) };
  expect(await available('0::/a/b', files)).toBe(50 * MB);
});

test('a container that sees its own group as the root is understood', async () => {
  expect(await available('0::/docker/0123', group('', [String(500 * MB), 100 * MB, 0]))).toBe(400 * MB);
});

test('groups of the first version count, too', async () => {
  const files = {
    'memory/a/memory.limit_in_bytes': String(500 * MB),
    'memory/a/memory.usage_in_bytes': String(300 * MB),
    'memory/a/memory.stat': `active_file 1\ntotal_active_file ${10 * MB}\ntotal_inactive_file ${20 * MB}`,
    'memory/memory.limit_in_bytes': '9223372036854771712',
    'memory/memory.usage_in_bytes': '1',
  };
  expect(await available('5:devices:/\n4:memory:/a\n0::/', files)).toBe(230 * MB);
});

test('this machine has memory, and frames may not take all of it', async () => {
  const [all, spare] = [await availableMemoryBytes(), await spareMemoryBytes()];
  expect(all).toBeGreaterThan(0);
  expect(spare).toBeLessThan(all);
});
