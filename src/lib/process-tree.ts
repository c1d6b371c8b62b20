import { readFileSync } from 'node:fs';

/** Whether a process is `ancestor` or was started by it, by its children, and so on. One that is gone was not. Linux. */
export function isWithin(pid: number, ancestor: number): boolean {
  let current = pid;
  while (current !== ancestor && current > 1) current = parentOf(current);
  return current === ancestor;
}

/** 0 for a process that is gone, as for the first one of all. */
function parentOf(pid: number): number {
  try {
    // The command's name stands in brackets and may hold spaces and brackets itself; behind it: state, parent.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return 0;
    throw error;
  }
}
