import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const script = new URL('../../../scripts/setup/vulkan.mjs', import.meta.url).href;
const { lacksVulkan } = (await import(script)) as { lacksVulkan: (systemRoot: string) => boolean };

test.runIf(process.arch === 'x64')('set-up installs Vulkan only for a GPU that lacks it', () => {
  const root = temporaryFolder();
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  expect(lacksVulkan(root)).toBe(false);
  put('sys/bus/pci/devices/0/class', '0x020000\n');
  put('sys/bus/pci/devices/0/vendor', '0x8086\n');
  expect(lacksVulkan(root)).toBe(false);
  put('sys/bus/pci/devices/1/class', '0x030000\n');
  put('sys/bus/pci/devices/1/vendor', '0x1002\n');
  expect(lacksVulkan(root)).toBe(true);
  put('usr/lib/x86_64-linux-gnu/libvulkan.so.1', '');
  expect(lacksVulkan(root)).toBe(false);
});
