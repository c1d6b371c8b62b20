import { isDisturbed } from './is-disturbed.ts';

/**
 * Starts to measure work of this process.
 *
 * @returns a function that gives the milliseconds since: of the clock or, where other programs used much of the CPU
 *   meanwhile, of CPU time, divided among the threads that worked at the same time
 */
export function startStopwatch(): (threads: number) => number {
  const [startedAtMs, cpuBefore, wasDisturbed] = [performance.now(), process.cpuUsage(), isDisturbed()];
  return (threads) => {
    const wallMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    return wasDisturbed() ? Math.min(wallMs, (user + system) / 1000 / threads) : wallMs;
  };
}
