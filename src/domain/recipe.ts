/** What to do with a file. Parsed from untrusted text by `config/recipe-schema.ts`; trusted from there on. */
export type Recipe = UpscaleRecipe | DualFaceRecipe;

export interface UpscaleRecipe {
  readonly pipeline: 'upscale';
  /** `lanczos`, a name of `models/manifest.json`, or the path of an ONNX file. */
  readonly model: string;
  /** Output size over input size, 1 to 4, any fraction. */
  readonly scale: number;
  readonly device: Device;
  /** Edge of a tile in source pixels, without its overlap; `auto`: the whole frame where memory allows it. */
  readonly tile: number | 'auto';
}

/** A video of two people becomes a split screen. */
export interface DualFaceRecipe {
  readonly pipeline: 'dual-face';
  /** The face detector: a name of `models/manifest.json`, or the path of an ONNX file. */
  readonly model: string;
  readonly device: Device;
  /** Of the finished video, in pixels; even. */
  readonly width: number;
  readonly height: number;
  /** `stacked`: the left person above the right one. */
  readonly layout: 'side-by-side' | 'stacked';
  /** The detector looks at every n-th frame; between them boxes are interpolated. */
  readonly detectEvery: number;
  /** What a pane shows whose person has been gone for long: the whole image, or nothing. */
  readonly missing: 'wide' | 'black';
}

export type Device = 'auto' | 'gpu' | 'cpu';

/** Two recipes with equal text do the same to the same file. Key order does not matter. */
export function recipeText(recipe: Recipe): string {
  const entries = Object.entries(recipe).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(Object.fromEntries(entries));
}

/** For the log, such as `realesr-general-x4v3, scale 2`. */
export function describeRecipe(recipe: Recipe): string {
  if (recipe.pipeline === 'upscale') return `${recipe.model}, scale ${recipe.scale}`;
  const { model, width, height, layout } = recipe;
  return `dual-face with ${model}, ${layout} in ${width}x${height}`;
}
