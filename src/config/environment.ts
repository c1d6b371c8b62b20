import { homedir } from 'node:os';
import { join } from 'node:path';

/** The only module that reads environment variables; each function returns one parsed value. */

/** `FRAMEKILN_HOME`: the home folder if `--home` is not given. An empty value counts as not set. */
export function homeFromEnvironment(): string | null {
  return process.env['FRAMEKILN_HOME'] || null;
}

/**
 * `FRAMEKILN_TRACE`: a file to which the worker appends a line `JOB FRAME MILLISECONDS` for each frame that goes through a
 * model. Tests use it to prove that no committed frame is inferred twice.
 */
export function traceFile(): string | null {
  return process.env['FRAMEKILN_TRACE'] ?? null;
}

/** `FRAMEKILN_FAIL_POINTS`: the folder that arms fail points (lib/fail-point.ts); set by tests only. */
export function failPointFolder(): string | null {
  return process.env['FRAMEKILN_FAIL_POINTS'] ?? null;
}

/**
 * `FRAMEKILN_INSTRUCTION_SET`: the instruction set that the CPU engine uses, `avx512-vnni`, `avx512`, `avx2-vnni`, `avx2` or `plain`;
 * empty if not set, for the best one. Set by tests and benchmarks only.
 */
export function instructionSet(): string {
  return process.env['FRAMEKILN_INSTRUCTION_SET'] ?? '';
}

/**
 * `FRAMEKILN_SOFTWARE_ADAPTERS`: whether WebGPU may run on a Vulkan driver that computes on the CPU, and need not be faster than
 * the other engines; set by tests only.
 */
export function mayUseSoftwareAdapters(): boolean {
  return process.env['FRAMEKILN_SOFTWARE_ADAPTERS'] === '1';
}

/** `FRAMEKILN_WORKER_MEMORY_MB`: memory at which a worker is restarted, or null if not set; set by tests only. */
export function workerMemoryBytes(): number | null {
  const megabytes = Number(process.env['FRAMEKILN_WORKER_MEMORY_MB']);
  return megabytes > 0 ? megabytes * 1024 ** 2 : null;
}

/** What systemd passes to a service with Type=notify: the socket for notifications and the watchdog timeout (WatchdogSec). */
export function serviceManager(): {
  readonly notifySocket: string | null;
  readonly watchdogMs: number | null;
} {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = process.env;
  const isForUs = pid === undefined || Number(pid) === process.pid;
  const isWatched = socket !== '' && isForUs && Number(microseconds) > 0;
  return {
    notifySocket: socket === '' ? null : socket,
    watchdogMs: isWatched ? Number(microseconds) / 1000 : null,
  };
}

/** What `framekiln worker` reads where an option is not given. AWS_ENDPOINT_URL: a server other than AWS; null without one. */
export function cloudVariables(): {
  readonly queueUrl: string | null;
  readonly bucket: string | null;
  readonly endpoint: string | null;
  readonly instanceMetadata: string;
} {
  return {
    queueUrl: process.env['SQS_QUEUE_URL'] || null,
    bucket: process.env['S3_BUCKET_NAME'] || null,
    endpoint: process.env['AWS_ENDPOINT_URL'] || null,
    instanceMetadata: process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254',
  };
}

/** Environment variables that set a setting under another name than `FRAMEKILN_GROUP_KEY`. */
export const LEGACY_VARIABLES: Readonly<Record<string, string>> = {
  NVENC_MAX_SESSIONS: 'encoder.sessions',
  MULTISTREAM_BATCH_SIZE: 'streams.batch',
  ENABLE_SOFTWARE_FALLBACK: 'encoder.softwareFallback',
};

/**
 * Environment variables that set settings, with their values. Other variables that begin with FRAMEKILN_ are left out.
 *
 * @param groups prefixes of these variables, such as `FRAMEKILN_ENCODER`
 */
export function settingVariables(groups: readonly string[]): [name: string, text: string][] {
  return Object.entries(process.env).filter((entry): entry is [string, string] => {
    const [name, text] = entry;
    const isSetting = groups.some((group) => name === group || name.startsWith(`${group}_`));
    return text !== undefined && text !== '' && (isSetting || name in LEGACY_VARIABLES);
  });
}

/** Environment of ffmpeg: where programs, libraries and GPUs are found, and nothing else (promise 28 in docs/promises.md). */
export function childEnvironment(): Record<string, string> {
  return kept(['PATH', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES']);
}

/** Environment of programs that use Vulkan: also which drivers its loader uses, and where they keep compiled shaders. */
export function vulkanEnvironment(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('VK_'));
  return { ...childEnvironment(), ...kept(['HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR', ...names]) };
}

/**
 * Environment of the user's own programs: that of this process, without settings of Framekiln, which a `framekiln` command in
 * such a program would apply, and without what systemd passes to the daemon alone.
 */
export function userEnvironment(): Record<string, string> {
  const isOurs = /^(FRAMEKILN_|NOTIFY_SOCKET$|WATCHDOG_(USEC|PID)$)/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, text]): [string, string][] =>
      text === undefined || isOurs.test(name) || name in LEGACY_VARIABLES ? [] : [[name, text]],
    ),
  );
}

/** `PATH`: the folders in which programs are found. */
export function searchPath(): string {
  return process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
}

/** The folder for the units of this user's systemd. */
export function userUnitFolder(): string {
  const configured = process.env['XDG_CONFIG_HOME'];
  return join(
    configured === undefined || configured === '' ? join(homedir(), '.config') : configured,
    'systemd/user',
  );
}

/** Environment of systemctl and journalctl, which find the services of this user also in a session of ssh or cron. */
export function sessionEnvironment(): Record<string, string> {
  const found = processEnvironment();
  return { XDG_RUNTIME_DIR: `/run/user/${process.getuid?.() ?? 0}`, ...found };
}

/** All variables, for the configuration of npm, which can be set by variables with many names. */
export function npmEnvironment(): Record<string, string> {
  return kept(Object.keys(process.env));
}

/** Environment of programs that talk to the desktop session or D-Bus. */
export function processEnvironment(): Record<string, string> {
  const names = ['DBUS_SESSION_BUS_ADDRESS', 'DBUS_SYSTEM_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'XDG_SESSION_ID'];
  return { ...childEnvironment(), ...kept(names) };
}

/** The variables of this process with these names, without those that are not set. */
function kept(names: readonly string[]): Record<string, string> {
  const found = names.flatMap((name): [string, string][] => {
    const text = process.env[name];
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(found);
}
