import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ensureHome, homeAt, programRoot, resolveHome, whyNotFolders } from '../../../src/config/home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test('the program finds its own folder', () => {
  expect(existsSync(join(programRoot, 'models/manifest.json'))).toBe(true);
});

test('--home goes over FRAMEKILN_HOME, which goes over the program’s folder; an empty one is none', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('FRAMEKILN_HOME', '/from/environment');
  expect(resolveHome({ flag: '/from/flag', cwd: '/' }).root).toBe('/from/flag');
  expect(resolveHome({ flag: null, cwd: '/' }).root).toBe('/from/environment');
  vi.stubEnv('FRAMEKILN_HOME', '');
  expect(resolveHome({ flag: null, cwd: '/' }).root).toBe(programRoot);
});

test('--home counts from where the person stands', () => {
  expect(resolveHome({ flag: 'videos', cwd: '/somewhere' }).input).toBe('/somewhere/videos/input');
});

test('input and output that overlap are rejected, through links too', () => {
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
