import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ensureHome, homeAt, programRoot, resolveHome, whyNotFolders } from '../../../src/config/home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { mayMount, mountTmpfs } from '../../helpers/tmpfs.ts';

test('programRoot is the folder of the program', () => {
  expect(existsSync(join(programRoot, 'models/manifest.json'))).toBe(true);
});

test('--home overrides FRAMEKILN_HOME, which overrides the folder of the program unless empty', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('FRAMEKILN_HOME', '/from/environment');
  expect(resolveHome({ flag: '/from/flag', cwd: '/' }).root).toBe('/from/flag');
  expect(resolveHome({ flag: null, cwd: '/' }).root).toBe('/from/environment');
  vi.stubEnv('FRAMEKILN_HOME', '');
  expect(resolveHome({ flag: null, cwd: '/' }).root).toBe(programRoot);
});

test('--home is relative to the working directory', () => {
  expect(resolveHome({ flag: 'videos', cwd: '/somewhere' }).input).toBe('/somewhere/videos/input');
});

test('overlapping input and output folders are rejected, also through symbolic links', () => {
  const root = temporaryFolder();
  expect(whyNotFolders({ input: join(root, 'in'), output: join(root, 'out') })).toBeNull();
  expect(whyNotFolders({ input: join(root, 'in'), output: join(root, 'in-finished') })).toBeNull();
  expect(whyNotFolders({ input: join(root, 'in'), output: join(root, 'in/..out') })).toMatch(/overlap/);
  expect(whyNotFolders({ input: join(root, 'in'), output: join(root, 'in/out') })).toMatch(/overlap/);
  expect(whyNotFolders({ input: join(root, 'a/in'), output: join(root, 'a') })).toMatch(/overlap/);
  const home = homeAt(join(root, 'home'));
  mkdirSync(join(home.input, 'deep'), { recursive: true });
  symlinkSync(join(home.input, 'deep'), home.output);
  expect(() => ensureHome(home)).toThrow(/overlap/);
});

test('a home on a read-only file system is rejected for that reason', ({ skip }) => {
  if (!mayMount()) skip('mounting a tmpfs is not permitted here');
  const home = homeAt(join(temporaryFolder(), 'home'));
  const { remount } = mountTmpfs(home.root, 'size=1m');
  ensureHome(home);
  remount('ro');
  expect(() => ensureHome(home)).toThrow(/is on a read-only file system; /);
});
