import { readFileSync, readlinkSync } from 'node:fs';

/** Identifies one process, even among later processes with the same pid and those before the last boot. Linux only. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot to the process's start: field 22 of /proc/PID/stat. */
  readonly startTime: string;
  readonly bootId: string;
  /** Inode of the PID namespace, in which alone the pid has a meaning. Null in owners of older versions. */
  readonly pidNamespace: string | null;
}

export function formatOwner({ pid, startTime, bootId, pidNamespace }: ProcessIdentity): string {
  const owner = `${pid}:${startTime}:${bootId}`;
  return pidNamespace === null ? owner : `${owner}:${pidNamespace}`;
}

/** The identity that `formatOwner` wrote, or null for any other text. */
export function parseOwner(text: string): ProcessIdentity | null {
  const match = /^(\d+):(\d+):([0-9a-f-]+)(?::(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, pid = '', startTime = '', bootId = '', pidNamespace = null] = match;
  return { pid: Number(pid), startTime, bootId, pidNamespace };
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
  return formatOwner({ pid: process.pid, startTime, bootId: bootId(), pidNamespace: ownPidNamespace() });
}

/**
 * Whether the process that wrote this owner string may still run on this boot of this machine. False only if it
 * certainly does not. A process in another PID namespace, such as a container, cannot be seen, so only its expired
 * lease shows that it has ended.
 */
export function isOwnerAlive(owner: string): boolean {
  const identity = parseOwner(owner);
  if (identity?.bootId !== bootId()) return false;
  return !isVisible(identity) || startTimeOf(identity.pid) === identity.startTime;
}

/** Whether this owner string was written by a process in the PID namespace of this one. */
export function isInOwnNamespace(owner: string): boolean {
  const identity = parseOwner(owner);
  return identity !== null && isVisible(identity);
}

/** Whether this owner string was written by the process with this pid in the PID namespace of this process. */
export function isOwnerOfPid(owner: string, pid: number | null): boolean {
  return parseOwner(owner)?.pid === pid && isInOwnNamespace(owner);
}

function isVisible({ pidNamespace }: ProcessIdentity): boolean {
  return pidNamespace === null || pidNamespace === ownPidNamespace();
}

/** The number in `pid:[4026531836]`. */
function ownPidNamespace(): string | null {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? null;
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
