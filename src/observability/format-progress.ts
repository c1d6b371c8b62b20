import { counted } from '../lib/counted.ts';

export interface Progress {
  readonly framesDone: number;
  readonly framesTotal: number;
  readonly framesPerSecond: number | null;
  /** Remaining time in milliseconds. */
  readonly etaMs: number | null;
}

/** `35 % · 28 of 78 frames · 0.31 fps · 2 min 44 s left`, without the parts that are not known yet. */
export function formatProgress(progress: Progress): string {
  const { framesDone, framesTotal, framesPerSecond, etaMs } = progress;
  const parts = [
    `${percentDone(framesDone, framesTotal)} %`,
    `${framesDone} of ${counted(framesTotal, 'frame')}`,
  ];
  if (framesPerSecond !== null) parts.push(`${formatRate(framesPerSecond)} fps`);
  if (etaMs !== null && framesDone < framesTotal) parts.push(`${formatDuration(etaMs)} left`);
  return parts.join(' · ');
}

/** Percentage of finished frames, rounded down: 100 only if all are finished. */
export function percentDone(framesDone: number, framesTotal: number): number {
  return framesTotal === 0 ? 0 : Math.floor((framesDone * 100) / framesTotal);
}

/** A rate with three significant digits: `0.31`, `4.25`, `31.0`, `250`. */
export function formatRate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 10 ? 2 : perSecond < 100 ? 1 : 0);
}

/** A duration in its two largest units: `0.4 s`, `44 s`, `2 min 44 s`, `3 h 05 min`, `2 d 04 h`. */
export function formatDuration(ms: number): string {
  if (ms < 950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${twoDigits(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
