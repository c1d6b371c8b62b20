import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const LIBRARY = 'usr/lib/x86_64-linux-gnu/libvulkan.so.1';
/** PCI class of display controllers. */
const DISPLAY = /^0x03/;
const VENDORS = ['0x1002', '0x10de', '0x8086'];

/**
 * Installs the library of Vulkan, with which models run on the GPUs of all makers. It is optional: where it cannot be installed,
 * models run on the CPU, and `framekiln doctor` names the command. It is tried once.
 *
 * @param {string} root the project's folder
 */
export async function ensureVulkan(root) {
  if (!lacksVulkan()) return;
  const stampFile = join(root, 'node_modules', '.framekiln-vulkan.json');
  if (readStamp(stampFile) !== null) return;
  const isInstalled = await aptInstall(['libvulkan1']).catch(() => false);
  if (isInstalled)
    console.log(
      'Installed libvulkan1, which is needed to run models on the GPU with WebGPU; framekiln doctor names what else is missing.',
    );
  writeStamp(stampFile, 'tried');
}

/**
 * @param {string} [systemRoot] `/`, unless a test says otherwise
 * @returns {boolean} whether there is a GPU that Vulkan could use, but not its library
 */
export function lacksVulkan(systemRoot = '/') {
  if (process.arch !== 'x64' || existsSync(join(systemRoot, LIBRARY))) return false;
  const buses = join(systemRoot, 'sys/bus/pci/devices');
  const devices = existsSync(buses) ? readdirSync(buses) : [];
  return devices.some((name) => {
    const read = (file) => readFileSync(join(buses, name, file), 'utf8').trim();
    return DISPLAY.test(read('class')) && VENDORS.includes(read('vendor'));
  });
}
