import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { startRadosgw, whyNoRadosgw } from '../helpers/radosgw.ts';

const VITEST = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');

test.skipIf(whyNoRadosgw() !== null)(
  'the tests of the queue worker pass with Ceph as their store',
  async () => {
    const store = await startRadosgw();
    const folders = ['test/integration/cloud', 'test/recovery/cloud'];
    const args = [
      'run',
      '--no-file-parallelism',
      '--project',
      'integration',
      '--project',
      'recovery',
      ...folders,
    ];
    const { exitCode, all } = await execa(process.execPath, [VITEST, ...args], {
      ...{ env: { FRAMEKILN_TEST_S3: store }, reject: false, all: true },
    });
    expect(exitCode, all).toBe(0);
  },
);
