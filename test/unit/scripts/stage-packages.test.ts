import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const script = new URL('../../../scripts/release/stage-packages.mjs', import.meta.url).href;
const { stageProgram } = (await import(script)) as {
  stageProgram: (root: string, addonPackages: readonly string[], folder: string) => void;
};

it('a package contains nothing of the home that a container has in the checkout', () => {
  const root = temporaryFolder();
  const manifest = { name: 'framekiln', version: '1.0.0', files: ['packaging', '!packaging/docker/home'] };
  for (const [path, text] of [
    ['package.json', JSON.stringify(manifest)],
    ['README.md', ''],
    ['LICENSE', ''],
    ['packaging/docker/compose.yaml', ''],
    ['packaging/docker/home/.framekiln/page-token', 'secret'],
    ['packaging/docker/home/input/film.mp4', ''],
  ] as const) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const folder = join(temporaryFolder(), 'package');
  stageProgram(root, [], folder);
  expect(readdirSync(join(folder, 'packaging/docker'))).toEqual(['compose.yaml']);
});
