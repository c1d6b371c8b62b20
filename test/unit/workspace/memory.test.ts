import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { availableMemoryBytes, spareMemoryBytes } from '../../../src/workspace/memory.ts';
import { groupFiles } from '../../helpers/group-files.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const MB = 1e6;

/** Available memory on a machine with 1024 MB available and these control groups. */
function available(ownGroups: string, files: Readonly<Record<string, string>>): Promise<number> {
  const places = { ...groupFiles(ownGroups, files), meminfo: join(temporaryFolder(), 'meminfo') };
  writeFileSync(places.meminfo, 'MemTotal: 9000000 kB\nMemAvailable:    1000000 kB\n');
  return availableMemoryBytes(places);
}

/** Files of a version 2 group; `cache` is the page cache, in bytes. */
function group(path: string, [limit, used, cache]: [string, number, number]): Record<string, string> {
  const stat = `anon 5\nshmem 7\ninactive_anon 11\nactive_file ${cache / 2}\ninactive_file ${cache / 2}`;
  return {
    [join(path, 'memory.max')]: limit,
    [join(path, 'memory.current')]: String(used),
    [join(path, 'memory.stat')]: stat,
  };
}

test('without a group limit, available memory is that of the system', async () => {
  expect(await available('', {})).toBe(1_024_000_000);
  expect(await available('0::/a', group('a', ['max', 900 * MB, 0]))).toBe(1_024_000_000);
});

test('a group limit leaves what is not used yet, and the page cache counts as free', async () => {
  expect(await available('0::/a/b', group('a/b', [String(500 * MB), 400 * MB, 100 * MB]))).toBe(200 * MB);
  // Usage exceeds the limit, as after the limit was lowered.
  expect(await available('0::/a', group('a', [String(500 * MB), 600 * MB, 0]))).toBe(0);
});

test('the tightest of nested groups applies', async () => {
  const files = { ...group('a', [String(300 * MB), 250 * MB, 0]), ...group('a/b', [String(900 * MB), 1, 0]) };
  expect(await available('0::/a/b', files)).toBe(50 * MB);
});

test('a container may see its own group as the root', async () => {
  expect(await available('0::/docker/0123', group('', [String(500 * MB), 100 * MB, 0]))).toBe(400 * MB);
});

test('groups of version 1 are read, too', async () => {
  const files = {
    'memory/a/memory.limit_in_bytes': String(500 * MB),
    'memory/a/memory.usage_in_bytes': String(300 * MB),
    'memory/a/memory.stat': `active_file 1\ntotal_active_file ${10 * MB}\ntotal_inactive_file ${20 * MB}`,
    'memory/memory.limit_in_bytes': '9223372036854771712',
    'memory/memory.usage_in_bytes': '1',
  };
  expect(await available('5:devices:/\n4:memory:/a\n0::/', files)).toBe(230 * MB);
});

test('frames may not take all memory of this machine', async () => {
  const [all, spare] = [await availableMemoryBytes(), await spareMemoryBytes()];
  expect(all).toBeGreaterThan(0);
  expect(spare).toBeLessThan(all);
});
