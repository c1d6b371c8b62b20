import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { Intake } from '../../../src/intake/intake.ts';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import { openQueue } from '../../../src/queue/queue.ts';
import { whyMissing } from '../../../src/workspace/missing-folder.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** A running intake that scans on its own only once an hour, so what it finds it has found by events. */
async function watching(inputDir: string, polling = false) {
  const queue = openQueue(join(temporaryFolder(), 'queue.db'));
  const said: string[] = [];
  const intake = new Intake({
    ...{ inputDir, polling },
    outputDir: '/nowhere',
    settings: () => ({
      settleMs: 3_600_000,
      rescanMs: 3_600_000,
      skipLarger: true,
      rules: { inputDir, defaultRecipe: SAFE_DEFAULTS.recipe, folders: {} },
    }),
    seenFiles: queue.seenFiles,
    enqueue: () => {
      throw new Error('No file settles within an hour.');
    },
    probe: () => Promise.reject(new Error('No file settles within an hour.')),
    checkRecipe: () => Promise.resolve(),
    whyMissing: () => whyMissing(inputDir, queue.mountPoints),
    estimate: () => Promise.resolve(''),
    onQueued: () => undefined,
    log: createForwardingLogger((entry) => said.push(entry.message)),
    onRejected: () => Promise.resolve(),
    now: Date.now,
  });
  onTestFinished(async () => {
    await intake.close();
    queue.close();
  });
  await intake.start();
  const finds = (name: string) =>
    expect
      .poll(() => said.join('\n'), { timeout: 5000, interval: 20 })
      .toContain(`${name} found; waiting until it stops changing`);
  return { intake, finds };
}

const TRAPS: Record<string, (input: string) => void> = {
  nothing: () => undefined,
  'a dangling link': (input) => symlinkSync('/nowhere/at/all', join(input, 'a-link')),
  'a link through a file': (input) => {
    writeFileSync(join(input, 'a.txt'), '');
    symlinkSync(join(input, 'a.txt/beyond'), join(input, 'b-link'));
  },
  'a link to itself': (input) => symlinkSync('a-link', join(input, 'a-link')),
  'a link to its own folder': (input) => symlinkSync('.', join(input, 'a-link')),
  'a named pipe': (input) => void execFileSync('mkfifo', [join(input, 'a.mp4')]),
};

test.each(Object.keys(TRAPS))('new files are found at once beside %s, also in subfolders', async (name) => {
  const input = temporaryFolder();
  mkdirSync(join(input, 'old'));
  TRAPS[name]?.(input);
  TRAPS[name]?.(join(input, 'old'));
  const { finds } = await watching(input);
  writeFileSync(join(input, 'one.mp4'), 'one');
  await finds('one.mp4');
  mkdirSync(join(input, 'new/deep'), { recursive: true });
  writeFileSync(join(input, 'new/deep/two.mp4'), 'two');
  await finds('new/deep/two.mp4');
  writeFileSync(join(input, 'old/three.mp4'), 'three');
  await finds('old/three.mp4');
  writeFileSync(join(input, 'new/deep/four.mp4'), 'four');
  await finds('new/deep/four.mp4');
});

test('new files are found at once in a folder that is a link', async () => {
  const [real, root] = [temporaryFolder(), temporaryFolder()];
  symlinkSync(real, join(root, 'input'));
  const { finds } = await watching(join(root, 'input'));
  writeFileSync(join(real, 'one.mp4'), 'one');
  await finds('one.mp4');
  mkdirSync(join(real, 'sub'));
  for (const name of ['two.mp4', 'sub/three.mp4']) {
    writeFileSync(join(real, name), name);
    await finds(name);
  }
});

test('new files are found at once after the folder was replaced, or its link was changed', async () => {
  const [one, two, root] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const input = join(root, 'input');
  symlinkSync(one, input);
  const { intake, finds } = await watching(input);
  mkdirSync(join(two, 'sub'));
  symlinkSync(two, join(root, 'next'));
  renameSync(join(root, 'next'), input);
  await intake.scan();
  writeFileSync(join(two, 'sub/two.mp4'), 'two');
  await finds('sub/two.mp4');
  rmSync(join(two, 'sub'), { recursive: true });
  mkdirSync(join(two, 'sub'));
  writeFileSync(join(two, 'sub/three.mp4'), 'three');
  await finds('sub/three.mp4');
});

test('with polling, new files are found without events', async () => {
  const input = temporaryFolder();
  const { finds } = await watching(input, true);
  writeFileSync(join(input, 'one.mp4'), 'one');
  await finds('one.mp4');
});
