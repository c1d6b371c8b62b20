/** How to process a file. Validated by `config/recipe-schema.ts`, and trusted afterwards. */
export type Recipe = (UpscaleRecipe | DualFaceRecipe | LipSyncRecipe) & {
  /** Frames per second of a folder of images that becomes one video; absent for a file. */
  readonly frameRate?: number | string;
};

export interface UpscaleRecipe {
  readonly pipeline: 'upscale';
  /** `lanczos`, a name of `models/manifest.json`, or the path of an ONNX file. */
  readonly model: string;
  /** Output size divided by input size; any number from 1 to 4. */
  readonly scale: number;
  /** Size of the result instead of a scale; a job has the scale that gives it (domain/target-size.ts). */
  readonly size?: TargetSize;
  readonly device: Device;
  /** Tile size in source pixels, without overlap; `auto` uses the whole frame if memory allows. */
  readonly tile: number | 'auto';
}

/** Turns a video of two people into a split screen. */
export interface DualFaceRecipe {
  readonly pipeline: 'dual-face';
  /** The face detector: a name of `models/manifest.json`, or the path of an ONNX file. */
  readonly model: string;
  readonly device: Device;
  /** Width of the finished video in pixels; even. */
  readonly width: number;
  readonly height: number;
  readonly layout: PaneLayout;
  /** Faces are detected in every n-th frame, and their boxes interpolated in between. */
  readonly detectEvery: number;
  /** What shows a person who is alone: the whole image instead of both panes, or their pane. `full` if absent. */
  readonly single?: 'full' | 'own-side';
  /** What is shown while nobody is there: the whole image, or a blurred copy of it in a single pane; or black. */
  readonly missing: 'wide' | 'black';
  /**
   * What surrounds an image that has not the shape of its place: the same image, enlarged and blurred, or black; `crop`
   * cuts the image to the shape instead. `blur` if absent.
   */
  readonly fill?: 'blur' | 'crop' | 'black';
  /** Pixels between the panes, and around them; even. 0 if absent. */
  readonly gap?: number;
  readonly border?: number;
  /**
   * Numbers of the people who may be shown, in the order of their panes, as the file of decisions about an earlier split
   * screen of the video gives them. Absent: everybody.
   */
  readonly people?: readonly number[];
  /** Corrections for parts of the video, in order. */
  readonly spans?: readonly Span[];
  /**
   * Whether what is enlarged goes through a super-resolution model: `off`, the name of a model or the path of an ONNX file, or
   * `auto` for the usual model where it is fast enough. `auto` if absent.
   */
  readonly enhance?: string;
}

/** Makes the mouth of a person in a video move with a speech, which replaces the audio of the video. */
export interface LipSyncRecipe {
  readonly pipeline: 'lip-sync';
  /** The path of an ONNX file of the user, or its name without `.onnx` in the folder of models. */
  readonly model: string;
  /** The face detector: a name of `models/manifest.json`, or the path of an ONNX file. */
  readonly detector: string;
  readonly device: Device;
  /** Path of the speech. A recipe that is not part of a job may lack it: the audio file beside the video is meant. */
  readonly audio?: string;
  /** The speech arrives on standard input while the job runs, and is at `audio` when it is complete. Not a key that users set. */
  readonly streamed?: true;
  /** Whose mouth moves, if there are several people. */
  readonly face: 'largest' | 'left' | 'right';
  /** The model draws every n-th frame. */
  readonly frameSkip: number;
  /** Whether the frames in between are mixed from those around them; otherwise they show the last one. */
  readonly interpolate: boolean;
  /** How a video is continued that is shorter than the speech. */
  readonly extend: 'loop' | 'ping-pong' | 'hold';
  /** Lines of the result at most; `source`: those of the video. */
  readonly resolution: 'source' | '720p' | '480p' | '360p';
  /** `low` encodes faster, with larger files. */
  readonly latency: 'normal' | 'low';
}

/** What a part of a split screen shows instead. Frames and crops are counted as in the file of decisions. */
export interface Span {
  readonly from: number;
  /** The first frame after the span. */
  readonly to: number;
  /** `whole` shows the whole image. */
  readonly layout?: PaneLayout | 'whole';
  readonly single?: 'full' | 'own-side';
  readonly people?: readonly number[];
  /** What the panes show, whoever is there: a pane for each of up to four crops. */
  readonly crops?: readonly Crop[];
}

/** A rectangle of the source in pixels. It may extend beyond the image. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * How the panes are arranged: `stacked` puts the left person at the top, `grid` has a pane for each of up to four people,
 * and `speaker` a single one that shows who is speaking.
 */
export const PANE_LAYOUTS = ['side-by-side', 'stacked', 'grid', 'speaker'] as const;
export type PaneLayout = (typeof PANE_LAYOUTS)[number];

/** Lines of the short side of the result: 1080, 1440 or 2160. */
export type TargetSize = '1080p' | '1440p' | '4k';

/**
 * Where models run. `auto` and `gpu` use a GPU if one works and otherwise the CPU, `gpu` with a warning; with `gpu-only` the
 * job fails instead.
 */
export type Device = 'auto' | 'gpu' | 'gpu-only' | 'cpu';

/** Values of keys that did not exist at first. */
const LATER_KEYS: Readonly<Record<string, unknown>> = {
  ...{ single: 'full', fill: 'blur', gap: 0, border: 0 },
  enhance: 'auto',
};

/**
 * Text that is equal for equal recipes, whatever the order of their keys. The defaults of later keys are left out, so that
 * the recipes of jobs from before there were these keys are still equal to today's.
 */
export function recipeText(recipe: Recipe): string {
  const entries = Object.entries(recipe)
    .filter(([key, value]) => !(key in LATER_KEYS) || value !== LATER_KEYS[key])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(Object.fromEntries(entries));
}

/** The model that a recipe names for close-ups; null: none, or the usual one. */
export function namedEnhancer(recipe: Recipe): string | null {
  if (recipe.pipeline !== 'dual-face') return null;
  const { enhance = 'auto' } = recipe;
  return enhance === 'auto' || enhance === 'off' ? null : enhance;
}

/** Whether some part of the result shows who is speaking, so that the audio matters. */
export function followsSpeech(recipe: Recipe): boolean {
  if (recipe.pipeline !== 'dual-face') return false;
  return recipe.layout === 'speaker' || (recipe.spans ?? []).some(({ layout }) => layout === 'speaker');
}

/** The path of the speech that arrives while the job runs; null for all other jobs. */
export function streamedSpeech(recipe: Recipe): string | null {
  return recipe.pipeline === 'lip-sync' && recipe.streamed === true ? (recipe.audio ?? null) : null;
}

/** Whether the source of a job with this recipe is a folder of images. */
export function isOfSequence({ frameRate }: Recipe): boolean {
  return frameRate !== undefined;
}

/** Describes a recipe for the log, such as `realesr-general-x4v3, scale 2`. */
export function describeRecipe(recipe: Recipe): string {
  if (recipe.pipeline === 'upscale') return `${recipe.model}, scale ${recipe.scale}`;
  if (recipe.pipeline === 'lip-sync') return `lip-sync with ${recipe.model}`;
  const { model, width, height, layout } = recipe;
  return `dual-face with ${model}, ${layout} at ${width}x${height}`;
}
