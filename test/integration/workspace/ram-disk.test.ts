import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newHomeId } from '../../../src/daemon/recognise-home.ts';
import { ownOwner } from '../../../src/lib/process/process-identity.ts';
import { FrameFiles } from '../../../src/workspace/frame-files.ts';
import { JobFolder } from '../../../src/workspace/job-folder.ts';
import { mountsOfRoot, ramDiskPlaces } from '../../../src/workspace/ram-disk-places.ts';
import { openRamDisk, removeOrphanRamDisks, removeRamDisk } from '../../../src/workspace/ram-disk.ts';
import { HOME_ID } from '../../helpers/identified-home.ts';
import { mayMount } from '../../helpers/tmpfs.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const request = { kind: 'auto', memoryFraction: 0.01 } as const;
const folderRequest = { ...request, kind: 'folder' } as const;
const shmRequest = { ...request, kind: 'shm' } as const;
/** User and group `nobody`. */
const NOBODY = 65534;
/** A dead process of this boot: it has the pid of this test and another start time. */
const deadOwner = ownOwner().replace(/:\d+:/, ':1:');
const stamp = { owner: ownOwner(), contents: 'job 7, plan A' };

test('a RAM disk stores frames, and nothing remains after its removal', async () => {
  const places = ramDiskPlaces({ id: HOME_ID, stateDir: temporaryFolder() });
  const disk = await openRamDisk(places, { jobId: 7, token: 1 }, stamp, request);
  expect(disk.adopted).toBe(false);
  expect(disk.sizeBytes).toBeGreaterThan(0);
  // Any kind but the best has a reason.
  expect(disk.kind === 'mount').toBe(disk.reason === null);
  writeFileSync(join(disk.path, 'b0000.out'), 'frames');
  await removeRamDisk(disk);
  expect(existsSync(disk.path)).toBe(false);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(disk.path);
});

test.each([
  ['left by a dead process for the same plan', deadOwner, 'job 7, plan A', true],
  ['left for another plan', deadOwner, 'job 7, plan B', false],
  [
    'left by a process that is alive',
    ownOwner().replace(/^\d+:\d+/, `1:${initStartTime()}`),
    'job 7, plan A',
    false,
  ],
  ['left before the last boot', deadOwner.replace(/[0-9a-f]{4}$/, '0000'), 'job 7, plan A', false],
])(
  'frames are used again only if a dead process of this boot left them for the same plan: %s',
  async (_, owner, contents, adopted) => {
    const places = ramDiskPlaces({ id: HOME_ID, stateDir: temporaryFolder() });
    const left = await openRamDisk(places, { jobId: 7, token: 1 }, { owner, contents }, folderRequest);
    writeFileSync(join(left.path, 'b0003.out'), 'frames');
    const found = await openRamDisk(places, { jobId: 7, token: 1 }, stamp, folderRequest);
    expect(found.adopted).toBe(adopted);
    expect(existsSync(join(found.path, 'b0003.out'))).toBe(adopted);
  },
);

test('RAM disks of finished jobs are removed, those of unfinished jobs stay', async () => {
  const places = ramDiskPlaces({ id: HOME_ID, stateDir: temporaryFolder() });
  const finished = await openRamDisk(places, { jobId: 1, token: 1 }, stamp, request);
  const unfinished = await openRamDisk(places, { jobId: 2, token: 1 }, stamp, request);
  expect(await removeOrphanRamDisks(places, new Set([2]))).toBe(1);
  expect([existsSync(finished.path), existsSync(unfinished.path)]).toEqual([false, true]);
  await removeRamDisk(unfinished);
});

test('frames that do not fit go to the spill folder, which is logged once', async () => {
  const root = temporaryFolder();
  const ram = join(root, 'ram');
  const spill = join(root, 'spill');
  mkdirSync(ram);
  const messages: string[] = [];
  const files = new FrameFiles({
    ramPath: ram,
    spillPath: spill,
    spareMemoryBytes: () => Promise.resolve(Infinity),
    onSpill: (sentence) => messages.push(sentence),
  });
  const batch = (number: number) => ({ number, firstFrame: 0, frameCount: 1 });
  expect(await files.place(batch(0), 'in', 1000)).toBe(join(ram, 'b0000.in'));
  const huge = Number.MAX_SAFE_INTEGER;
  expect(await files.place(batch(1), 'out', huge)).toBe(join(spill, 'b0001.out'));
  expect(await files.place(batch(2), 'out', huge)).toBe(join(spill, 'b0002.out'));
  expect(messages).toHaveLength(1);
  // Existing frames are found.
  writeFileSync(join(spill, 'b0001.out'), 'frames');
  expect(await files.place(batch(1), 'out', 6)).toBe(join(spill, 'b0001.out'));
  await files.drop(batch(1), 'out');
  expect(existsSync(join(spill, 'b0001.out'))).toBe(false);
});

test('spilled frames are kept only with an adopted RAM disk: after a power cut they may never have been written', async () => {
  const places = ramDiskPlaces({ id: HOME_ID, stateDir: temporaryFolder() });
  const folder = new JobFolder({ id: HOME_ID, jobsDir: temporaryFolder() }, 7);
  const open = async (owner: string, token: number) => {
    const disk = await openRamDisk(places, { jobId: 7, token }, { ...stamp, owner }, folderRequest);
    const spill = await folder.openSpill(disk);
    const found = existsSync(join(spill, 'b0003.out'));
    mkdirSync(spill, { recursive: true });
    writeFileSync(join(spill, 'b0003.out'), 'frames');
    return { spill, found };
  };
  const beforeLastBoot = deadOwner.replace(/[0-9a-f]{4}$/, '0000');
  const first = await open(beforeLastBoot, 1);
  const second = await open(deadOwner, 2);
  expect([second.found, existsSync(first.spill)]).toEqual([false, false]);
  // Frames of a killed worker of this boot were written.
  expect((await open(ownOwner(), 3)).found).toBe(true);
});

test('frames move to disk while memory is short, and new ones go to the RAM disk afterwards', async () => {
  const root = temporaryFolder();
  const [ram, spill] = [join(root, 'ram'), join(root, 'spill')];
  mkdirSync(ram);
  const messages: string[] = [];
  let spare = 0;
  const files = new FrameFiles({
    ramPath: ram,
    spillPath: spill,
    spareMemoryBytes: () => Promise.resolve(spare),
    onSpill: (sentence) => messages.push(sentence),
  });
  const batch = (number: number) => ({ number, firstFrame: 0, frameCount: 1 });
  // Half a batch, as left by a killed process.
  writeFileSync(join(ram, 'b0000.out'), 'half of ');
  expect(await files.place(batch(0), 'out', 16)).toBe(join(spill, 'b0000.out'));
  expect(readFileSync(join(spill, 'b0000.out'), 'utf8')).toBe('half of ');
  expect(existsSync(join(ram, 'b0000.out'))).toBe(false);
  // Complete frames need no more memory.
  writeFileSync(join(ram, 'b0001.out'), 'all of them here');
  expect(await files.place(batch(1), 'out', 16)).toBe(join(ram, 'b0001.out'));
  // Two batches do not rely on the same memory.
  spare = 20;
  expect(await files.place(batch(2), 'in', 16)).toBe(join(ram, 'b0002.in'));
  expect(await files.place(batch(3), 'in', 16)).toBe(join(spill, 'b0003.in'));
  await files.drop(batch(2), 'in');
  expect(await files.place(batch(4), 'in', 16)).toBe(join(ram, 'b0004.in'));
  expect(messages).toEqual([`not enough free memory for another 1 MB; writing frames to ${spill}`]);
});

function initStartTime(): string {
  return readFileSync('/proc/1/stat', 'latin1').split(') ').at(-1)?.split(' ')[19] ?? '';
}

test('a RAM disk in /dev/shm can be entered by its owner only, and has a new name each time', async () => {
  const places = ramDiskPlaces({ id: newHomeId(), stateDir: temporaryFolder() });
  const open = (jobId: number) => openRamDisk(places, { jobId, token: 1 }, stamp, shmRequest);
  const disks = [await open(7), await open(8)];
  for (const disk of disks) onTestFinished(() => removeRamDisk(disk));
  expect(disks.map(({ path }) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  const [first, second] = disks.map(({ path }) => path.slice(-6));
  expect(first).not.toBe(second);
});

test('folders and links that others put into /dev/shm are never used, read or removed', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can make a folder of another user');
  const id = newHomeId();
  const stateDir = temporaryFolder();
  const places = ramDiskPlaces({ id, stateDir });
  const target = temporaryFolder();
  writeFileSync(join(target, 'stamp.json'), JSON.stringify({ owner: deadOwner, contents: stamp.contents }));
  const shm = (name: string) => join('/dev/shm', name);
  const former = createHash('sha256').update(stateDir).digest('hex').slice(0, 12);
  const planted = {
    foreign: shm(`framekiln-${id}-7-1-aaaaaa`),
    open: shm(`framekiln-${id}-7-1-bbbbbb`),
    linked: shm(`framekiln-${id}-7-1-cccccc`),
    former: shm(`framekiln-${former}`),
  };
  onTestFinished(() => {
    for (const path of Object.values(planted)) rmSync(path, { recursive: true, force: true });
  });
  for (const path of [planted.foreign, planted.open, planted.former]) {
    mkdirSync(path, { mode: 0o700 });
    cpSync(join(target, 'stamp.json'), join(path, 'stamp.json'));
  }
  for (const path of [planted.foreign, planted.former]) chownSync(path, NOBODY, NOBODY);
  chmodSync(planted.open, 0o777);
  symlinkSync(target, planted.linked);

  const disk = await openRamDisk(places, { jobId: 7, token: 1 }, stamp, shmRequest);
  onTestFinished(() => removeRamDisk(disk));
  expect(disk.adopted).toBe(false);
  expect(Object.values(planted)).not.toContain(disk.path);
  expect(await removeOrphanRamDisks(places, new Set())).toBe(1);
  for (const path of [...Object.values(planted), target])
    expect(existsSync(join(path, 'stamp.json'))).toBe(true);
});

test('the folder in which an older version kept RAM disks is removed if it belongs to this user', async () => {
  const stateDir = temporaryFolder();
  const former = `/dev/shm/framekiln-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;
  mkdirSync(join(former, '3.1'), { recursive: true, mode: 0o700 });
  const places = ramDiskPlaces({ id: newHomeId(), stateDir });
  expect(await removeOrphanRamDisks(places, new Set([3]))).toBe(1);
  expect(existsSync(former)).toBe(false);
});

test('RAM disks of another home in the same folders stay', async () => {
  const stateDir = temporaryFolder();
  const other = ramDiskPlaces({ id: newHomeId(), stateDir });
  const disk = await openRamDisk(other, { jobId: 7, token: 1 }, stamp, request);
  onTestFinished(() => removeRamDisk(disk));
  const places = ramDiskPlaces({ id: newHomeId(), stateDir });
  expect(await removeOrphanRamDisks(places, new Set())).toBe(0);
  expect(existsSync(disk.path)).toBe(true);
});

test('a tmpfs that root has mounted is named and left alone when another user runs the same home', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0 || !mayMount()) skip('only root can mount a tmpfs');
  const stateDir = temporaryFolder();
  const places = ramDiskPlaces({ id: newHomeId(), stateDir });
  const left = await openRamDisk(places, { jobId: 7, token: 1 }, { ...stamp, owner: deadOwner }, request);
  onTestFinished(() => removeRamDisk(left));
  expect(left.kind).toBe('mount');
  for (const path of [stateDir, places.folders.mount]) chownSync(path, NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  onTestFinished(() => process.seteuid?.(0));
  expect(await removeOrphanRamDisks(places, new Set())).toBe(0);
  expect(await mountsOfRoot(places)).toEqual([left.path]);
  const disk = await openRamDisk(places, { jobId: 7, token: 2 }, stamp, folderRequest);
  expect(disk).toMatchObject({ kind: 'folder', adopted: false });
});

test('without permission to write to /dev/shm, frames go to a folder on disk', async () => {
  const places = ramDiskPlaces({ id: HOME_ID, stateDir: temporaryFolder() });
  // Root may write to every folder, so the one of this test is missing instead.
  const broken = { ...places, folders: { ...places.folders, shm: join(temporaryFolder(), 'missing') } };
  const wanted = { kind: 'shm', memoryFraction: 0.5 } as const;
  const disk = await openRamDisk(broken, { jobId: 7, token: 1 }, stamp, wanted);
  expect(disk).toMatchObject({ kind: 'folder', reason: 'cannot create a folder in /dev/shm: ENOENT' });
  await removeRamDisk(disk);
});
