import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findGpuUse } from '../../../src/cli/find-gpu-use.ts';
import { findAdapter, type FoundAdapter } from '../../../src/inference/webgpu/find-adapter.ts';
import { describeGpuUse } from '../../../src/hardware/gpu-use.ts';
import { readGraphics } from '../../../src/hardware/probe/graphics.ts';
import { probeGpus } from '../../../src/hardware/probe/gpus.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/*
 * Machines are simulated: nvidia-smi is a fake executable, /sys, /dev and /etc are in a folder, and the CUDA addon is a
 * JavaScript file that is asked in a process of its own like the real one.
 */
const RTX_3060 = 'NVIDIA GeForce RTX 3060, 560.35.03, 8.6, 12288, 11000';

interface Machine {
  /** Script of nvidia-smi; absent: it is missing. */
  readonly nvidiaSmi?: string;
  /** Whether nvidia-smi is only where WSL2 has it. */
  readonly isWsl?: boolean;
  /** PCI vendors of the display controllers. */
  readonly vendors?: readonly string[];
  readonly osId?: string;
  readonly hasNvcc?: boolean;
  /** JavaScript of the addon; absent: it is not installed. */
  readonly addon?: string;
  /** JavaScript of what the CPU addon reports of Vulkan; absent: no driver. */
  readonly vulkan?: string;
  /** JavaScript of what happens when a model is loaded with WebGPU. */
  readonly webGpu?: string;
}

let root: string;
beforeEach(() => {
  root = temporaryFolder();
  vi.stubEnv('PATH', join(root, 'bin'));
});
afterEach(() => void vi.unstubAllEnvs());

function put(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function sentenceOf(machine: Machine): Promise<string> {
  const {
    nvidiaSmi,
    isWsl = false,
    vendors = [],
    osId = 'debian',
    hasNvcc = false,
    addon,
    ...rest
  } = machine;
  vendors.forEach((vendor, i) => {
    put(`sys/bus/pci/devices/${i}/class`, '0x030000\n');
    put(`sys/bus/pci/devices/${i}/vendor`, `${vendor}\n`);
  });
  put('sys/bus/pci/devices/network/class', '0x020000\n');
  put('sys/bus/pci/devices/network/vendor', '0x8086\n');
  put('etc/os-release', `NAME=x\nID=${osId}\n`);
  if (isWsl) put('dev/dxg', '');
  if (hasNvcc) put('usr/local/cuda/bin/nvcc', '');
  const wsl = join(root, 'usr/lib/wsl/lib/nvidia-smi');
  if (nvidiaSmi !== undefined)
    chmodSync(
      put(isWsl ? 'usr/lib/wsl/lib/nvidia-smi' : 'bin/nvidia-smi', `#!/bin/sh\n${nvidiaSmi}\n`),
      0o755,
    );
  const path = addon === undefined ? null : put('addon.cjs', `exports.describeDevices = () => { ${addon} };`);
  return describeGpuUse(
    await findGpuUse(await probeGpus(path, wsl), readGraphics(root), path, () => adapterOf(rest)),
  );
}

function adapterOf({
  vulkan = NO_VULKAN,
  webGpu = '',
}: Pick<Machine, 'vulkan' | 'webGpu'>): Promise<FoundAdapter> {
  const session = 'run: async () => undefined, release: async () => undefined';
  return findAdapter({
    addon: put('cpu.cjs', `exports.vulkanAdapters = () => (${vulkan});`),
    onnxruntime: put(
      'onnxruntime.cjs',
      `exports.Tensor = class {}; exports.InferenceSession = { create: async () => { ${webGpu}; return { ${session} }; } };`,
    ),
  });
}

const NO_VULKAN = "{ adapters: [], reason: 'no Vulkan driver is installed' }";
const vulkanLists = (name: string, kind: string): string =>
  `{ adapters: [{ name: '${name}', kind: '${kind}' }], reason: null }`;

const lists = (gpu: string): string => `echo '${gpu}'`;
const reports = (devices: string, reason: string | null, cudaVersion: string): string =>
  `return { devices: [${devices}], reason: ${JSON.stringify(reason)}, cudaVersion: '${cudaVersion}' };`;
const DEVICE =
  "{ name: 'NVIDIA GeForce RTX 3060', computeCapability: '8.6', driverVersion: '12.6', totalBytes: 12e9, freeBytes: 11e9 }";

test.each<[string, Machine, string]>([
  ['no GPU', {}, 'models run on the CPU: no GPU found'],
  [
    'an NVIDIA GPU without a driver, on Debian',
    { vendors: ['0x8086', '0x10de'] },
    'models run on the CPU: the NVIDIA GPU cannot be used: no NVIDIA driver found (nvidia-smi is missing); to change that: sudo apt-get install nvidia-driver',
  ],
  [
    'an NVIDIA GPU without a driver, on Ubuntu',
    { vendors: ['0x10de'], osId: 'ubuntu' },
    'models run on the CPU: the NVIDIA GPU cannot be used: no NVIDIA driver found (nvidia-smi is missing); to change that: sudo ubuntu-drivers install',
  ],
  [
    'a driver without the addon',
    { vendors: ['0x10de'], nvidiaSmi: lists(RTX_3060) },
    'models run on the CPU: the NVIDIA GeForce RTX 3060 and its driver 560.35.03 work, but the CUDA addon is not installed; to change that: framekiln gpu install --from FOLDER-OF-A-RELEASE',
  ],
  [
    'a driver and nvcc without the addon',
    { vendors: ['0x10de'], nvidiaSmi: lists(RTX_3060), hasNvcc: true },
    'models run on the CPU: the NVIDIA GeForce RTX 3060 and its driver 560.35.03 work, but the CUDA addon is not installed; to change that: npm run build:native',
  ],
  [
    'a driver that is too old',
    {
      vendors: ['0x10de'],
      nvidiaSmi: lists('NVIDIA GeForce RTX 3060, 470.256.02, 8.6, 12288, 11000'),
      addon: reports('', 'CUDA driver version is insufficient for CUDA runtime version', '12.9'),
    },
    'models run on the CPU: the driver 470.256.02 of the NVIDIA GeForce RTX 3060 is too old for the CUDA addon, which needs 525.60.13 or newer; to change that: sudo apt-get install nvidia-driver',
  ],
  [
    'a GPU that is too old',
    {
      nvidiaSmi: lists('NVIDIA GeForce GTX 1080, 560.35.03, 6.1, 8192, 8000'),
      addon: reports('', 'no kernel image', '12.9'),
    },
    'models run on the CPU: the NVIDIA GeForce GTX 1080 has compute capability 6.1, and Framekiln needs 7.5 or newer',
  ],
  [
    'a driver that fails',
    { nvidiaSmi: 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18' },
    'models run on the CPU: the NVIDIA driver does not work (nvidia-smi failed: Failed to initialize NVML: Driver/library version mismatch); to check the driver: nvidia-smi',
  ],
  [
    'a container without libcuda',
    { nvidiaSmi: lists(RTX_3060), addon: reports('', 'no NVIDIA driver is installed', '12.9') },
    'models run on the CPU: the CUDA addon cannot use the NVIDIA GeForce RTX 3060: no NVIDIA driver is installed; to check the driver: nvidia-smi',
  ],
  [
    'an addon for another glibc',
    {
      nvidiaSmi: lists(RTX_3060),
      hasNvcc: true,
      addon: "throw new Error('version GLIBC_2.36 not found');",
    },
    'models run on the CPU: the CUDA addon cannot use the NVIDIA GeForce RTX 3060: it cannot be loaded: Error: version GLIBC_2.36 not found; to change that: npm run build:native',
  ],
  [
    'an addon that crashes',
    { nvidiaSmi: lists(RTX_3060), addon: "process.kill(process.pid, 'SIGSEGV');" },
    'models run on the CPU: the CUDA addon cannot use the NVIDIA GeForce RTX 3060: it cannot be loaded: it crashed; to change that: framekiln gpu install --from FOLDER-OF-A-RELEASE',
  ],
  [
    'a GPU that works',
    { nvidiaSmi: lists(RTX_3060), addon: reports(DEVICE, null, '12.9') },
    'models run on the GPU (NVIDIA GeForce RTX 3060)',
  ],
  [
    'an AMD GPU without a Vulkan driver',
    { vendors: ['0x1002'] },
    'models run on the CPU: the GPU from AMD cannot be used with WebGPU: no Vulkan driver is installed; to change that: sudo apt-get install libvulkan1 mesa-vulkan-drivers',
  ],
  [
    'an Intel GPU with only lavapipe',
    { vendors: ['0x8086'], vulkan: vulkanLists('llvmpipe (LLVM 15)', 'software') },
    'models run on the CPU: the GPU from Intel cannot be used with WebGPU: Vulkan offers only software renderers (llvmpipe (LLVM 15)); to change that: sudo apt-get install libvulkan1 mesa-vulkan-drivers',
  ],
  [
    'an AMD GPU with a Vulkan driver',
    { vendors: ['0x1002'], vulkan: vulkanLists('AMD Radeon RX 6700 XT', 'discrete') },
    'models run with WebGPU on the GPU (AMD Radeon RX 6700 XT) if that is faster than the CPU',
  ],
  [
    'an Intel GPU whose driver is too old for WebGPU',
    {
      vendors: ['0x8086'],
      vulkan: vulkanLists('Intel HD 4000', 'integrated'),
      webGpu: "throw new Error('x was false. Failed to get a WebGPU adapter: No supported adapters\\n')",
    },
    'models run on the CPU: the GPU from Intel cannot be used with WebGPU: the Intel HD 4000 cannot run a model: Failed to get a WebGPU adapter: No supported adapters',
  ],
  [
    'an NVIDIA GPU with a driver and Vulkan, without the CUDA addon',
    {
      vendors: ['0x10de'],
      nvidiaSmi: lists(RTX_3060),
      vulkan: vulkanLists('NVIDIA GeForce RTX 3060', 'discrete'),
    },
    'models run with WebGPU on the GPU (NVIDIA GeForce RTX 3060) if that is faster than the CPU; CUDA, which is faster, is not used: the NVIDIA GeForce RTX 3060 and its driver 560.35.03 work, but the CUDA addon is not installed; to change that: framekiln gpu install --from FOLDER-OF-A-RELEASE',
  ],
  [
    'WSL2 without an NVIDIA GPU',
    { isWsl: true },
    'models run on the CPU: Windows offers no NVIDIA GPU to WSL2; if the machine has one, install its driver in Windows, then run: wsl.exe --shutdown',
  ],
  [
    'WSL2 with nvidia-smi outside of PATH',
    { isWsl: true, nvidiaSmi: lists(RTX_3060), addon: reports(DEVICE, null, '12.9') },
    'models run on the GPU (NVIDIA GeForce RTX 3060)',
  ],
])('says which device models run on, why, and what changes it: %s', async (_, machine, sentence) => {
  expect(await sentenceOf(machine)).toBe(sentence);
});

test('a GPU is found even if the probe failed, for example because the disk is full', async () => {
  const path = put('addon.cjs', `exports.describeDevices = () => { ${reports(DEVICE, null, '12.9')} };`);
  chmodSync(put('bin/nvidia-smi', `#!/bin/sh\n${lists(RTX_3060)}\n`), 0o755);
  expect(await findGpuUse(null, readGraphics(root), path)).toMatchObject({ code: 'used' });
});
