import { readFileSync, readdirSync } from 'node:fs';

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
