import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { expect, onTestFinished, test } from 'vitest';
import { addonPackage, installedAddonPath } from '../../../src/inference/find-addon.ts';
import { installAddon } from '../../../src/inference/install-addon.ts';
import { writeFileDurably } from '../../../src/workspace/durable-file.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const FILE = `framekiln-native-cuda-${process.platform}-${process.arch}-1.2.3.tgz`;

/** A folder with the package of an addon as `npm pack` makes it, and its checksum. */
async function release(version = '1.2.3') {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'package'));
  const manifest = { name: addonPackage('cuda'), version };
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package/framekiln_cuda.node'), 'addon');
  await create({ gzip: true, cwd: folder, file: join(folder, FILE) }, ['package']);
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, FILE)))
    .digest('hex');
  writeFileSync(join(folder, 'SHA256SUMS'), `${sha256}  ${FILE}\n`);
  return { folder, sha256 };
}

function install(from: string, more: { sha256?: string; load?: (path: string) => void } = {}) {
  const root = temporaryFolder();
  const path = installedAddonPath('cuda', root);
  const options = {
    name: 'cuda',
    from,
    sha256: null,
    version: '1.2.3',
    root,
    load: () => undefined,
  } as const;
  return { path, installed: installAddon({ ...options, writeFile: writeFileDurably, ...more }) };
}

test('an addon from a folder is loaded once, and installed', async () => {
  const { folder } = await release();
  const loaded: string[] = [];
  const { path, installed } = install(folder, {
    load: (trial) => void loaded.push(readFileSync(trial, 'utf8')),
  });
  expect(await installed).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe('addon');
  expect(loaded).toEqual(['addon']);
  expect(readdirSync(dirname(path))).toEqual(['framekiln_cuda.node']);
});

test('an address needs a checksum, which must be right', async () => {
  const { folder, sha256 } = await release();
  const server = createServer((request, response) => {
    if (request.url === `/${FILE}`) response.end(readFileSync(join(folder, FILE)));
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(install(`${address}/${FILE}`).installed).rejects.toThrow('an address needs --sha256');
  await expect(install(`${address}/x`, { sha256 }).installed).rejects.toThrow('responds with status 404');
  const wrong = install(`${address}/${FILE}`, { sha256: 'ab' });
  await expect(wrong.installed).rejects.toThrow(`has the SHA-256 checksum ${sha256} instead of ab`);
  expect(existsSync(wrong.path)).toBe(false);
  const right = install(`${address}/${FILE}`, { sha256: sha256.toUpperCase() });
  expect(await right.installed).toBe(right.path);
});

test('a package of another version, a damaged one or one without a checksum is not installed', async () => {
  await expect(install((await release('1.2.4')).folder).installed).rejects.toThrow(
    'has version 1.2.4, but this is Framekiln 1.2.3',
  );
  const { folder } = await release();
  writeFileSync(join(folder, FILE), 'damaged');
  await expect(install(folder).installed).rejects.toThrow('has the SHA-256');
  writeFileSync(join(folder, 'SHA256SUMS'), '');
  await expect(install(folder).installed).rejects.toThrow(`SHA256SUMS in ${folder} has no line for ${FILE}`);
});

test('an addon that this machine cannot load leaves the installed one as it is', async () => {
  const { folder } = await release();
  const { path, installed } = install(folder, {
    load: () => {
      throw new Error('version GLIBC_2.36 not found');
    },
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'older');
  await expect(installed).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: 'The addon was not installed: version GLIBC_2.36 not found.',
  });
  expect(readFileSync(path, 'utf8')).toBe('older');
  expect(readdirSync(dirname(path))).toEqual(['framekiln_cuda.node']);
});
