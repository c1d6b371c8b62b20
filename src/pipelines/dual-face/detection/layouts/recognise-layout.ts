import { EngineError } from '../../../../domain/errors.ts';
import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Size } from '../input-shape.ts';
import type { DetectorLayout } from './detector-layout.ts';
import { BLAZEFACE } from './blazeface.ts';
import { SCRFD } from './scrfd.ts';
import { YOLOV8_FACE, YOLOV8_FACE_HEADS } from './yolov8-face.ts';
import { YUNET } from './yunet.ts';

const LAYOUTS: readonly DetectorLayout[] = [BLAZEFACE, YUNET, SCRFD, YOLOV8_FACE, YOLOV8_FACE_HEADS];

/** Recognises a layout by a model's outputs for an input of that size. @throws EngineError ENGINE_FAILED */
export function recogniseLayout(outputs: readonly ModelOutput[], input: Size): DetectorLayout {
  const layout = LAYOUTS.find((each) => each.fits(outputs, input));
  if (layout !== undefined) return layout;
  const shapes = outputs.map(({ shape }) => shape.join('x')).join(', ');
  const known = LAYOUTS.map(({ name }) => name).join(', ');
  throw new EngineError(
    'ENGINE_FAILED',
    `outputs with the shapes ${shapes} match no known face detector (${known})`,
  );
}
