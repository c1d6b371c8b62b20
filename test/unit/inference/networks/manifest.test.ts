import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { networkEntry, readManifest } from '../../../../src/inference/networks/manifest.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

const shipped = resolve(import.meta.dirname, '../../../../models/manifest.json');

test('the shipped list has the default networks, and these need nothing but the npm registry', async () => {
  const manifest = await readManifest(shipped);
  for (const name of ['realesr-general-x4v3', 'RealESRGAN_x4plus']) {
    const { sources, licence, scale } = networkEntry(manifest, name);
    expect(sources.map(({ kind }) => kind)).toContain('npm');
    expect({ licence, scale }).toEqual({ licence: 'BSD-3-Clause', scale: 4 });
  }
  expect(() => networkEntry(manifest, 'nothing')).toThrow('known are realesr-general-x4v3');
});

test('a list with faults is refused with all of them', async () => {
  const path = join(temporaryFolder(), 'manifest.json');
  const entry = { name: '../x', description: '', licence: '', scale: 9, architecture: 'srvgg', overlap: 1 };
  writeFileSync(path, JSON.stringify({ networks: [{ ...entry, sha256: 'abc', bytes: 1, sources: [] }] }));
  const refusal = await readManifest(path).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'NETWORK_UNREADABLE' });
  for (const place of ['name', 'scale', 'sha256', 'sources']) expect(String(refusal)).toContain(`0.${place}`);
});

test('a list that is absent or is no JSON is refused by its path', async () => {
  const path = join(temporaryFolder(), 'manifest.json');
  await expect(readManifest(path)).rejects.toThrow(path);
  writeFileSync(path, '{');
  await expect(readManifest(path)).rejects.toMatchObject({ code: 'NETWORK_UNREADABLE' });
});
