import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCpuAddonBuilt } from '../../src/inference/cpu-engine.ts';
import { hasWebGpu } from '../../src/inference/onnx-engine.ts';

/** SwiftShader, a Vulkan driver that computes on the CPU, from Debian's package chromium-common. */
const SWIFTSHADER = '/usr/lib/chromium/libvk_swiftshader.so';

/** Why WebGPU cannot be tested on this machine; null if it can. */
export function whyNoVulkan(): string | null {
  if (!hasWebGpu()) return 'this onnxruntime has no WebGPU';
  if (!isCpuAddonBuilt()) return 'the CPU addon is not built';
  if (!existsSync(SWIFTSHADER)) return 'SwiftShader is not installed (Debian: apt install chromium-common)';
  return null;
}

/** Compiles `fake-vulkan-driver.c` in a folder. @returns the path of its manifest, for VK_ICD_FILENAMES */
export function fakeVulkanDriver(folder: string): string {
  const library = join(folder, 'libfake_vulkan.so');
  const source = join(import.meta.dirname, 'fake-vulkan-driver.c');
  const flags = ['-shared', '-fPIC', `-DSWIFTSHADER="${SWIFTSHADER}"`, '-Wall', '-Wextra', '-Werror'];
  execFileSync('cc', [...flags, source, '-o', library, '-ldl']);
  const manifest = join(folder, 'fake_icd.json');
  const ICD = { library_path: library, api_version: '1.1.0' };
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD }));
  return manifest;
}
