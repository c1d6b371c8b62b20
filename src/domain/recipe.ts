/** What to do with a file. Parsed from untrusted text by `config/recipe-schema.ts`; trusted from there on. */
export type Recipe = UpscaleRecipe;

export interface UpscaleRecipe {
  readonly pipeline: 'upscale';
  /** `lanczos`, a name of `models/manifest.json`, or the path of an ONNX file. */
  readonly network: string;
  /** Output size over input size, 1 to 4, any fraction. */
  readonly scale: number;
  readonly device: Device;
  /** Edge of a tile in source pixels, without its overlap; `auto`: the whole frame where memory allows it. */
  readonly tile: number | 'auto';
}

export type Device = 'auto' | 'gpu' | 'cpu';

/** Two recipes with equal text do the same to the same file. Key order does not matter. */
export function recipeText(recipe: Recipe): string {
  const entries = Object.entries(recipe).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(Object.fromEntries(entries));
}
