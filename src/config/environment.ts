/**
 * The only reader of the environment (house rule 20). Each function reads one thing and says what it means.
 */

/** `FRAMEKILN_HOME`: the home folder, where `--home` is not given. Empty is as good as not set. */
export function homeFromEnvironment(): string | null {
  return process.env['FRAMEKILN_HOME'] || null;
}

/**
 * `FRAMEKILN_TRACE`: a file to which the worker appends a line `JOB FRAME MILLISECONDS` for each frame that a model really ran
 * on. Tests count with it that no committed frame is inferred again.
 */
export function traceFile(): string | null {
  return process.env['FRAMEKILN_TRACE'] ?? null;
}

/** `FRAMEKILN_FAIL_POINTS`: the folder that arms fail points (lib/fail-point.ts); tests alone set it. */
export function failPointFolder(): string | null {
  return process.env['FRAMEKILN_FAIL_POINTS'] ?? null;
}

/** `FRAMEKILN_WORKER_MEMORY_MB`: what a worker may hold before it is started anew; tests alone set it. Null: a share of all. */
export function workerMemoryBytes(): number | null {
  const megabytes = Number(process.env['FRAMEKILN_WORKER_MEMORY_MB']);
  return megabytes > 0 ? megabytes * 1024 ** 2 : null;
}

/** What systemd tells a service of Type=notify: the socket for notifications, and the watchdog's time (WatchdogSec). */
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

/** Settings that have a variable of a name of their own, beside `FRAMEKILN_GROUP_KEY`. */
export const LEGACY_VARIABLES: Readonly<Record<string, string>> = {
  NVENC_MAX_SESSIONS: 'encoder.sessions',
  MULTISTREAM_BATCH_SIZE: 'streams.batch',
  ENABLE_SOFTWARE_FALLBACK: 'encoder.softwareFallback',
};

/**
 * The variables that speak of settings, by name, with their texts. Others that begin with FRAMEKILN_ are no settings.
 *
 * @param groups how the variables of settings begin, such as `FRAMEKILN_ENCODER`
 */
export function settingVariables(groups: readonly string[]): [name: string, text: string][] {
  return Object.entries(process.env).filter((entry): entry is [string, string] => {
    const [name, text] = entry;
    const isSetting = groups.some((group) => name === group || name.startsWith(`${group}_`));
    return text !== undefined && text !== '' && (isSetting || name in LEGACY_VARIABLES);
  });
}

/** What ffmpeg gets to see of our environment: where programs, libraries and graphics GPUs are, and nothing else (R28). */
export function childEnvironment(): Record<string, string> {
  const kept = ['PATH', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES'];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** What a program of the desktop needs to find its session. */
export function processEnvironment(): Record<string, string> {
  const kept = ['DBUS_SESSION_BUS_ADDRESS', 'DBUS_SYSTEM_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'XDG_SESSION_ID'];
  const found = kept.flatMap((name): [string, string][] => {
    const text = process.env[name];
    return text === undefined ? [] : [[name, text]];
  });
  return { ...childEnvironment(), ...Object.fromEntries(found) };
}
