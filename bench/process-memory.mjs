import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ, which Linux has on all platforms that Framekiln runs on. */
const TICKS_PER_SECOND = 100;

/**
 * Memory of a process from /proc; 0 if it has ended.
 *
 * @param {number | string} pid
 * @param {'VmRSS' | 'VmHWM'} field now, or the most so far
 */
export function megabytes(pid, field) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/**
 * IDs of the processes that a process has started.
 *
 * @param {number | string} pid
 */
export function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]) === Number(pid);
    } catch {
      return false;
    }
  });
}

/** Whether a process is a worker of the daemon. */
export function isWorker(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/worker/entry.js');
  } catch {
    return false;
  }
}

/**
 * CPU seconds (user and system) of a process and of those of its child processes that have ended; 0 if it has ended itself.
 *
 * @param {number | string} pid
 */
export function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
