import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import {
  loadFaceDetector,
  type DetectorOptions,
} from '../../src/pipelines/dual-face/detection/face-detector.ts';
import type { FaceDetector } from '../../src/pipelines/dual-face/detection/face.ts';
import { FaceEmbedder } from '../../src/pipelines/dual-face/identity/face-embedder.ts';
import { sharedModels } from './shared-media.ts';

const models = resolve(import.meta.dirname, '../../models');

/** Files of real detectors; tests skip those that are not installed. */
export const DETECTOR_FILES = {
  'blazeface-full-range': resolve(models, 'blazeface-full-range.onnx'),
  'YuNet of one size': sharedModels('yunet_n_640_640.onnx'),
  'YuNet of any size': sharedModels('yunet_n_dynamic.onnx'),
  SCRFD: sharedModels('scrfd_500m_kps.onnx'),
} as const;

export type DetectorName = keyof typeof DETECTOR_FILES;

/** Whether a detector is installed. */
export function hasDetector(name: DetectorName): boolean {
  return existsSync(DETECTOR_FILES[name]);
}

/** Loads a real detector on the CPU, which is disposed when the test ends. */
export async function openDetector(
  name: DetectorName,
  options: Partial<DetectorOptions> = {},
): Promise<FaceDetector> {
  const detector = await loadFaceDetector(readFileSync(DETECTOR_FILES[name]), name, {
    device: 'cpu',
    engines: [createOnnxEngine('cpu')],
    threads: 1,
    ...options,
  });
  onTestFinished(() => detector.dispose());
  return detector;
}

/** File of the face recognition model. */
export const EMBEDDING = resolve(models, 'face-recognition.onnx');

/** Whether the face recognition model is installed. */
export function hasEmbedder(): boolean {
  return existsSync(EMBEDDING);
}

/** The face recognition model on the CPU, which is disposed when the test ends. */
export function openEmbedder(): FaceEmbedder {
  const embedder = new FaceEmbedder({
    readModel: () => readFile(EMBEDDING),
    device: 'cpu',
    engines: [createOnnxEngine('cpu')],
    threads: 1,
  });
  onTestFinished(() => embedder.dispose());
  return embedder;
}
