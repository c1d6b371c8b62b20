import { readFileSync } from 'node:fs';

const UNREADABLE: readonly unknown[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

/** Whether a process is `ancestor` or was started by it, by its children, and so on. One that is gone was not. Linux. */
export function isWithin(pid: number, ancestor: number): boolean {
  let current = pid;
  while (current !== ancestor && current > 1) current = parentOf(current);
  return current === ancestor;
}

/** 0 for a process that is gone or hidden, as for the first one of all. */
function parentOf(pid: number): number {
  try {
    // The command's name stands in brackets and may hold spaces and brackets itself; behind it: state, parent.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    // With hidepid other users' processes cannot be read; ours can.
    if (error instanceof Error && 'code' in error && UNREADABLE.includes(error.code)) return 0;
    throw error;
  }
}
