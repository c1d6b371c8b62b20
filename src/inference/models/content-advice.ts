import type { Manifest } from './manifest.ts';

const FOR_DRAWN_VIDEO = 'realesr-animevideov3';
const FOR_DRAWN_STILLS = 'realesrgan-x4plus-anime';
const FOR_FILMED = 'realesr-general-x4v3';

export interface ContentToAdviseOn {
  readonly content: 'drawn' | 'filmed' | null;
  readonly isStill: boolean;
  /** The model that was chosen, as in a recipe. */
  readonly model: string;
  /** Names of the models on this machine. */
  readonly installed: readonly string[];
}

/**
 * Which model suits better what a file shows, as the rest of a sentence that begins with its name; null if the chosen model
 * is of the right kind, or nothing is known about it. It is advice only: nothing acts on it.
 */
export function contentAdvice(
  { content, isStill, model, installed }: ContentToAdviseOn,
  { models }: Manifest,
): string | null {
  const entry = models.find(({ name }) => name === model);
  if (content === null || entry?.purpose !== 'upscale') return null;
  const isForDrawn = entry.content === 'drawn';
  if (isForDrawn === (content === 'drawn')) return null;
  const better = content === 'filmed' ? FOR_FILMED : isStill ? FOR_DRAWN_STILLS : FOR_DRAWN_VIDEO;
  const what = isForDrawn ? `${model} is made for drawings` : `${model} is made for any footage`;
  const install = installed.includes(better) ? '' : `; to install it: framekiln models pull ${better}`;
  return `looks ${content}, and ${what}; ${better} may suit it better${install}`;
}
