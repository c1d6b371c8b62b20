import { readFileSync } from 'node:fs';

/** Identifies one process, also among later ones with the same pid and those before the last boot. Linux. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot to the process's start: field 22 of /proc/PID/stat. */
  readonly startTime: string;
  readonly bootId: string;
}

export function formatOwner({ pid, startTime, bootId }: ProcessIdentity): string {
  return `${pid}:${startTime}:${bootId}`;
}

/** The identity that `formatOwner` wrote, or null for any other text. */
export function parseOwner(text: string): ProcessIdentity | null {
  const match = /^(\d+):(\d+):([0-9a-f-]+)$/.exec(text);
  if (match === null) return null;
  const [, pid = '', startTime = '', bootId = ''] = match;
  return { pid: Number(pid), startTime, bootId };
}

/**
 * The start time in the text of /proc/PID/stat, or null for a zombie. The command name is in brackets and may contain
 * spaces and brackets itself, so fields are counted from the last closing bracket.
 */
export function parseStartTime(stat: string): string | null {
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  return rest[18] ?? null;
}

/** This process's owner string. */
export function ownOwner(): string {
  const startTime = startTimeOf(process.pid);
  if (startTime === null)
    throw new Error('/proc/self/stat has no start time; Framekiln needs Linux with /proc.');
  return formatOwner({ pid: process.pid, startTime, bootId: bootId() });
}

/** Whether the process that wrote this owner string still runs on this boot of this machine. */
export function isOwnerAlive(owner: string): boolean {
  const identity = parseOwner(owner);
  return identity?.bootId === bootId() && startTimeOf(identity.pid) === identity.startTime;
}

function startTimeOf(pid: number): string | null {
  try {
    return parseStartTime(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return null;
    throw error;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
