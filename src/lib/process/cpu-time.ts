import { readFileSync } from 'node:fs';

/** CPU time of all threads of a process, in clock ticks, of which Linux has 100 a second; 0 for one that is gone. */
export function cpuTicksOf(pid: number): number {
  try {
    // The command name is in brackets and may contain spaces and brackets itself. The ticks are fields 14 and 15.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return 0;
    throw error;
  }
}
