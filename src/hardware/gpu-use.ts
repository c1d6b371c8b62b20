import type { AddonReport } from './probe/addon-report.ts';
import type { GpuFacts } from './probe/gpus.ts';
import type { Graphics } from './probe/graphics.ts';

/** Why models do not run on a GPU. */
export type NoGpuReason =
  | 'no-gpu'
  | 'no-driver'
  | 'driver-fails'
  | 'driver-too-old'
  | 'gpu-too-old'
  | 'addon-missing'
  | 'addon-fails'
  | 'wsl'
  | 'other-vendor';

/** Which device models run on. Code decides by `code`; the texts are clauses for people. */
export type GpuUse =
  | { readonly code: 'used'; readonly gpu: string }
  /** WebGPU is used for models that are faster with it than on the CPU. */
  | {
      readonly code: 'webgpu';
      readonly gpu: string;
      /** Why CUDA, which is faster, is not used; null without an NVIDIA GPU. */
      readonly whyNotCuda: string | null;
      readonly advice: string | null;
    }
  | {
      readonly code: NoGpuReason;
      readonly why: string;
      /** What to do about it, as a clause with a command; null if nothing would change it. */
      readonly advice: string | null;
    };

/** What WebGPU can use: the name of a GPU, or the reason why there is none. */
export type WebGpuFacts =
  | { readonly gpu: string }
  | { readonly gpu: null; readonly reason: string; readonly isDriverMissing: boolean };

/** Why CUDA cannot be used. */
type NoCuda = Extract<GpuUse, { readonly why: string }>;

export interface GpuSituation {
  readonly driver: GpuFacts;
  /** What the CUDA addon says; null if it is not installed. */
  readonly addon: AddonReport | null;
  readonly graphics: Graphics;
  /** Whether the program is a project folder with sources, rather than an npm package. */
  readonly hasSources: boolean;
}

/** The oldest compute capability that the kernels are built for: Turing, such as the GeForce RTX 20 series. */
const OLDEST_CAPABILITY = 7.5;
/** The oldest driver on Linux that runs programs of a CUDA version, by its major number. */
const OLDEST_DRIVER: Readonly<Record<string, string>> = { 12: '525.60.13', 13: '580.65.06' };

/**
 * Decides which device models run on and, if it is not a GPU, why and what would change it.
 *
 * @param findWebGpu asked if there is a GPU that CUDA cannot use
 */
export async function judgeGpuUse(
  situation: GpuSituation,
  findWebGpu: () => Promise<WebGpuFacts>,
): Promise<GpuUse> {
  const [usable] = situation.addon?.devices ?? [];
  if (usable !== undefined) return { code: 'used', gpu: usable.name };
  const noCuda = whyNotCuda(situation);
  const { vendors } = situation.graphics;
  if (vendors.length === 0 && situation.driver.gpus.length === 0) return noCuda;
  const webGpu = await findWebGpu();
  const isNvidia = noCuda.code !== 'other-vendor';
  if (webGpu.gpu !== null) {
    const { why, advice } = noCuda;
    return {
      code: 'webgpu',
      gpu: webGpu.gpu,
      whyNotCuda: isNvidia ? why : null,
      advice: isNvidia ? advice : null,
    };
  }
  if (isNvidia) return noCuda;
  const why = `the GPU from ${vendors.join(' or ')} cannot be used with WebGPU: ${webGpu.reason}`;
  return { code: 'other-vendor', why, advice: webGpu.isDriverMissing ? toChangeThat(INSTALL_VULKAN) : null };
}

function whyNotCuda({ driver, addon, graphics, hasSources }: GpuSituation): NoCuda {
  const [gpu] = driver.gpus;
  if (gpu === undefined) return withoutWorkingDriver(driver, graphics);
  if (Number(gpu.computeCapability) < OLDEST_CAPABILITY) {
    const why = `the ${gpu.name} has compute capability ${gpu.computeCapability}, and Framekiln needs ${OLDEST_CAPABILITY} or newer`;
    return { code: 'gpu-too-old', why, advice: null };
  }
  const installAddon = toChangeThat(
    hasSources && graphics.hasNvcc
      ? 'npm run build:native'
      : 'framekiln gpu install --from FOLDER-OF-A-RELEASE',
  );
  if (addon === null) {
    const why = `the ${gpu.name} and its driver ${gpu.driver} work, but the CUDA addon is not installed`;
    return { code: 'addon-missing', why, advice: installAddon };
  }
  const oldest = OLDEST_DRIVER[addon.cudaVersion.split('.')[0] ?? ''];
  if (oldest !== undefined && isOlder(gpu.driver, oldest)) {
    const why = `the driver ${gpu.driver} of the ${gpu.name} is too old for the CUDA addon, which needs ${oldest} or newer`;
    const advice = graphics.isWsl
      ? 'to change that: install a newer NVIDIA driver in Windows'
      : toChangeThat(graphics.driverCommand);
    return { code: 'driver-too-old', why, advice };
  }
  const why = `the CUDA addon cannot use the ${gpu.name}: ${addon.reason ?? 'it lists no GPU'}`;
  return { code: 'addon-fails', why, advice: addon.cudaVersion === '' ? installAddon : CHECK_DRIVER };
}

function withoutWorkingDriver({ driver, reason }: GpuFacts, graphics: Graphics): NoCuda {
  const { isWsl, vendors, driverCommand } = graphics;
  if (driver !== 'absent')
    return {
      code: 'driver-fails',
      why: `the NVIDIA driver does not work (${reason ?? 'no GPU'})`,
      advice: CHECK_DRIVER,
    };
  if (isWsl)
    return {
      code: 'wsl',
      why: 'Windows offers no NVIDIA GPU to WSL2',
      advice: 'if the machine has one, install its driver in Windows, then run: wsl.exe --shutdown',
    };
  if (vendors.includes('NVIDIA'))
    return {
      code: 'no-driver',
      why: `the NVIDIA GPU cannot be used: ${reason ?? 'no driver found'}`,
      advice: toChangeThat(driverCommand),
    };
  const [other] = vendors;
  if (other !== undefined)
    return {
      code: 'other-vendor',
      why: `there is no NVIDIA GPU, only one from ${vendors.join(' and ')}`,
      advice: null,
    };
  return { code: 'no-gpu', why: 'no GPU found', advice: null };
}

/** Compares driver versions such as `550.54` and `525.60.13`. A driver that is only known by its CUDA version is not older. */
function isOlder(version: string, oldest: string): boolean {
  const [found, needed] = [version, oldest].map((text) => text.split('.').map(Number));
  for (const [i, least] of (needed ?? []).entries()) {
    const part = found?.[i] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** The Vulkan drivers of AMD and Intel, and the library that finds them. */
const INSTALL_VULKAN = 'sudo apt-get install libvulkan1 mesa-vulkan-drivers';

/** Advice where nvidia-smi shows more than is known here. */
const CHECK_DRIVER = 'to check the driver: nvidia-smi';

function toChangeThat(command: string): string {
  return `to change that: ${command}`;
}

/** One sentence for the log: which device models run on, why not a GPU, and what to do. */
export function describeGpuUse(use: GpuUse): string {
  if (use.code === 'used') return `models run on the GPU (${use.gpu})`;
  const advice = use.advice === null ? '' : `; ${use.advice}`;
  if (use.code === 'webgpu') {
    const cuda =
      use.whyNotCuda === null ? '' : `; CUDA, which is faster, is not used: ${use.whyNotCuda}${advice}`;
    return `models run with WebGPU on the GPU (${use.gpu}) if that is faster than the CPU${cuda}`;
  }
  return `models run on the CPU: ${use.why}${advice}`;
}
