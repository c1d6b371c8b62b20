import { readFileSync } from 'node:fs';

const UNREADABLE: readonly unknown[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

/** Whether a process is `ancestor` or one of its descendants; false for a process that is gone. Linux only. */
export function isWithin(pid: number, ancestor: number): boolean {
  let current = pid;
  while (current !== ancestor && current > 1) current = parentOf(current);
  return current === ancestor;
}

/** The parent's process ID; 0 for a process that is gone or hidden, and for the first process. */
function parentOf(pid: number): number {
  try {
    // The command name is in brackets and may contain spaces and brackets itself. State and parent follow it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    // With hidepid, processes of other users cannot be read, but our own can.
    if (error instanceof Error && 'code' in error && UNREADABLE.includes(error.code)) return 0;
    throw error;
  }
}
