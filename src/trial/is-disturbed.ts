import { cpus } from 'node:os';

/** Share of the CPU time that other processes may use while something is measured. */
const MAX_SHARE_OF_OTHERS = 0.1;

/** Starts to watch the CPU. @returns a function that says whether other processes have used much of it since */
export function isDisturbed(): () => boolean {
  const [before, ownBefore] = [busyMs(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(ownBefore);
    const after = busyMs();
    const others = after.busy - before.busy - (user + system) / 1000;
    return others > MAX_SHARE_OF_OTHERS * (after.total - before.total);
  };
}

function busyMs(): { readonly busy: number; readonly total: number } {
  const all = cpus().map(({ times }) => times);
  const total = all.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { total, busy: total - all.reduce((sum, { idle }) => sum + idle, 0) };
}
