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
  | {
      readonly code: NoGpuReason;
      readonly why: string;
      /** What to do about it, as a clause with a command; null if nothing would change it. */
      readonly advice: string | null;
    };

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

/** Decides which device models run on and, if it is not a GPU, why and what would change it. */
export function judgeGpuUse({ driver, addon, graphics, hasSources }: GpuSituation): GpuUse {
  const [usable] = addon?.devices ?? [];
  if (usable !== undefined) return { code: 'used', gpu: usable.name };
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

function withoutWorkingDriver({ driver, reason }: GpuFacts, graphics: Graphics): GpuUse {
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
      why: `models need an NVIDIA GPU, but this machine has only GPUs from ${vendors.join(' and ')}`,
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

/** Advice where nvidia-smi shows more than is known here. */
const CHECK_DRIVER = 'to check the driver: nvidia-smi';

function toChangeThat(command: string): string {
  return `to change that: ${command}`;
}

/** One sentence for the log: which device models run on, why not a GPU, and what to do. */
export function describeGpuUse(use: GpuUse): string {
  if (use.code === 'used') return `models run on the GPU (${use.gpu})`;
  const advice = use.advice === null ? '' : `; ${use.advice}`;
  return `models run on the CPU: ${use.why}${advice}`;
}
