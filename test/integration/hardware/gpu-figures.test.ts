import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { parseGpuFigures, readGpuFigures } from '../../../src/hardware/gpu-figures.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

afterEach(() => vi.unstubAllEnvs());

/** Puts an nvidia-smi with this script in front of the PATH. */
function nvidiaSmi(script: string): void {
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env['PATH'] ?? ''}`);
}

const read = () => readGpuFigures(new AbortController().signal);

it('every GPU has its figures; what the driver does not report is null', () => {
  expect(parseGpuFigures('0, 97, 20480, 24564, 71, 12, 40\n1, [N/A], 1, 2, [N/A], [N/A], [N/A]\n')).toEqual([
    {
      ...{ index: '0', utilizationPercent: 97, celsius: 71, decoderPercent: 12, encoderPercent: 40 },
      ...{ usedBytes: 20480 * 1024 ** 2, totalBytes: 24564 * 1024 ** 2 },
    },
    {
      ...{ index: '1', utilizationPercent: null, celsius: null, decoderPercent: null, encoderPercent: null },
      ...{ usedBytes: 1024 ** 2, totalBytes: 2 * 1024 ** 2 },
    },
  ]);
  expect(parseGpuFigures('No devices were found\n')).toEqual([]);
});

it('an older driver, which knows no utilisation of its codecs, reports the rest', async () => {
  nvidiaSmi(
    `case "$1" in *utilization.decoder*) echo 'Field "utilization.decoder" is not a valid field to query.'; exit 2;; esac\necho '0, 5, 10, 20, 30'`,
  );
  expect(await read()).toEqual([
    expect.objectContaining({ utilizationPercent: 5, decoderPercent: null, encoderPercent: null }),
  ]);
});

it('there are no figures where nvidia-smi fails, and null where it is missing', async () => {
  nvidiaSmi('exit 9');
  expect(await read()).toEqual([]);
  vi.stubEnv('PATH', temporaryFolder());
  expect(await read()).toBeNull();
});
