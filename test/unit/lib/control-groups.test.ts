import { expect, test } from 'vitest';
import { readMachineFacts } from '../../../src/hardware/probe/machine-facts.ts';
import { readGroupLimits } from '../../../src/lib/control-groups.ts';
import { totalMemoryBytes } from '../../../src/workspace/memory.ts';
import { groupFiles } from '../../helpers/group-files.ts';

const GB = 1e9;
const SERVICE = 'system.slice/framekiln.service';

test('the probe and the workspace see the same limits of a systemd service', async () => {
  const places = groupFiles(`0::/${SERVICE}`, {
    [`${SERVICE}/memory.max`]: '20000000',
    [`${SERVICE}/cpu.max`]: '150000 100000',
  });
  expect((await readMachineFacts(places)).limits).toEqual({ memoryBytes: 20_000_000, cores: 1.5 });
  expect(await totalMemoryBytes(places)).toBe(20_000_000);
});

test('the tightest limit of a group and its ancestors applies, for memory and cores separately', async () => {
  const places = groupFiles('0::/a/b', {
    'a/memory.max': String(2 * GB),
    'a/cpu.max': '400000 100000',
    'a/b/memory.max': String(3 * GB),
    'a/b/cpu.max': '250000 100000',
  });
  expect(await readGroupLimits(places)).toEqual({ memoryBytes: 2 * GB, cores: 2.5 });
});

test('limits of version 1 are read, from shared and separate hierarchies', async () => {
  const places = groupFiles('5:cpu,cpuacct:/x/y\n4:memory:/x', {
    'memory/x/memory.limit_in_bytes': String(GB),
    'memory/memory.limit_in_bytes': '9223372036854771712',
    'cpu/x/cpu.cfs_quota_us': '50000',
    'cpu/x/cpu.cfs_period_us': '100000',
    'cpu/x/y/cpu.cfs_quota_us': '-1',
    'cpu/x/y/cpu.cfs_period_us': '100000',
  });
  expect(await readGroupLimits(places)).toEqual({ memoryBytes: GB, cores: 0.5 });
});

test('a container that sees its own group as the root has the limits of the root', async () => {
  const places = groupFiles('0::/docker/0123', { 'memory.max': '5', 'cpu.max': 'max 100000' });
  expect(await readGroupLimits(places)).toEqual({ memoryBytes: 5, cores: null });
});

test('there are no limits without groups, or where groups set none', async () => {
  const none = { memoryBytes: null, cores: null };
  expect(await readGroupLimits({ ownGroups: '/nowhere', groups: '/nowhere' })).toEqual(none);
  const places = groupFiles('0::/a', { 'a/memory.max': 'max', 'a/cpu.max': 'max 100000' });
  expect(await readGroupLimits(places)).toEqual(none);
});
