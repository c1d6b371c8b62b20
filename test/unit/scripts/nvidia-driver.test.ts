import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const script = new URL('../../../scripts/setup/nvidia-driver.mjs', import.meta.url).href;
const { hasNvidiaDriver } = (await import(script)) as { hasNvidiaDriver: (systemRoot: string) => boolean };

function systemWith(...files: readonly string[]): string {
  const root = temporaryFolder();
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

it.each([['proc/driver/nvidia/version'], ['dev/nvidiactl'], ['dev/dxg', 'usr/lib/wsl/lib/nvidia-smi']])(
  'finds a driver by %s',
  (...files) => {
    expect(hasNvidiaDriver(systemWith(...files))).toBe(true);
  },
);

it('finds no driver on a machine without an NVIDIA GPU', () => {
  expect(hasNvidiaDriver(systemWith('dev/dri/renderD128'))).toBe(false);
});
