import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type GpuVendor = 'NVIDIA' | 'AMD' | 'Intel';

/** What the machine says about its GPUs without their drivers. */
export interface Graphics {
  /** Makers of the GPUs on the PCI bus, each once. */
  readonly vendors: readonly GpuVendor[];
  /** Whether this is WSL2 with access to the GPUs of Windows, which are not on its PCI bus. */
  readonly isWsl: boolean;
  /** The command that installs the NVIDIA driver. */
  readonly driverCommand: string;
  /** Whether the CUDA compiler is installed. */
  readonly hasNvcc: boolean;
}

const VENDORS: Readonly<Record<string, GpuVendor>> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
};
/** PCI class of display controllers. */
const DISPLAY = /^0x03/;

/** @param root `/`, unless a test says otherwise */
export function readGraphics(root = '/'): Graphics {
  const buses = join(root, 'sys/bus/pci/devices');
  const devices = existsSync(buses) ? readdirSync(buses).map((name) => join(buses, name)) : [];
  const vendors = devices
    .filter((device) => DISPLAY.test(read(join(device, 'class'))))
    .flatMap((device) => VENDORS[read(join(device, 'vendor'))] ?? []);
  return {
    vendors: [...new Set(vendors)],
    isWsl: existsSync(join(root, 'dev/dxg')),
    driverCommand: /^ID=ubuntu$/m.test(read(join(root, 'etc/os-release')))
      ? 'sudo ubuntu-drivers install'
      : 'sudo apt-get install nvidia-driver',
    hasNvcc: ['usr/local/cuda/bin/nvcc', 'usr/local/bin/nvcc', 'usr/bin/nvcc'].some((path) =>
      existsSync(join(root, path)),
    ),
  };
}

/** The text of a small file; empty if it cannot be read. */
function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}
