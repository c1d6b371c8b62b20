import type { ChosenModel } from '../../../inference/load-model.ts';
import type { Box } from '../tracking/box.ts';
import type { Face, FaceDetector } from './face.ts';
import type { Size } from './input-shape.ts';
import type { DetectorLayout } from './layouts/detector-layout.ts';
import { readInput, type Letterbox } from './image-input.ts';
import { suppressOverlaps } from './suppress-overlaps.ts';
import { isCutOff, planWindows } from './windows.ts';

/** A face detector that runs a model with a known output layout. */
export class ModelDetector implements FaceDetector {
  readonly name: string;
  readonly summary: string;
  readonly #chosen: ChosenModel;
  readonly #layout: DetectorLayout;
  readonly #fixed: Size | null;
  readonly #options: { readonly minScore: number; readonly enoughFaces: number };

  /** @param fixed the only input size of the model; null: any size */
  constructor(
    chosen: ChosenModel,
    layout: DetectorLayout,
    fixed: Size | null,
    options: { readonly minScore: number; readonly enoughFaces: number },
  ) {
    this.name = layout.name;
    const why = chosen.reason === null ? '' : ` (${chosen.reason})`;
    this.summary = `${layout.name} with ${chosen.engine.name}${why}`;
    this.#chosen = chosen;
    this.#layout = layout;
    this.#fixed = fixed;
    this.#options = options;
  }

  async detect(pixels: Uint8Array, width: number, height: number): Promise<Face[]> {
    const faces = suppressOverlaps(await this.#search(pixels, width, { x: 0, y: 0, width, height }));
    if (faces.filter(({ score }) => score >= MIN_FOUND_SCORE).length >= this.#options.enoughFaces)
      return faces;
    for (const window of planWindows(width, height, windowEdge(width, height, this.#layout))) {
      const inWindow = await this.#search(pixels, width, window);
      faces.push(...inWindow.filter(({ box }) => !isCutOff(box, window, width, height)));
    }
    return suppressOverlaps(faces);
  }

  dispose(): Promise<void> {
    return this.#chosen.model.dispose();
  }

  /** Finds the faces in an area of the frame; the result is in pixels of the frame. */
  async #search(pixels: Uint8Array, frameWidth: number, area: Box): Promise<Face[]> {
    const input = this.#fixed ?? inputFor(area, this.#layout);
    const { data, letterbox } = readInput(pixels, frameWidth, area, input, this.#layout.range);
    const outputs = await this.#chosen.model.run({ data, shape: [1, 3, input.height, input.width] });
    const faces = this.#layout.decode(outputs, input, this.#options.minScore);
    return faces.map((face) => inFrame(face, area, letterbox));
  }
}

/** Minimum score of the faces that count as found; ByteTrack's high score. */
const MIN_FOUND_SCORE = 0.6;

/**
 * Edge of the windows: the frame's shorter edge, unless the model's input is larger. This gives three windows for 16:9.
 * Windows of half that edge found 94 % instead of 86 % of the faces (docs/decisions/0011-face-models.md), but there are
 * fifteen of them, with four times the work.
 */
function windowEdge(width: number, height: number, { edge }: DetectorLayout): number {
  return Math.max(edge, Math.min(width, height));
}

/** Input size for an area, with the layout's longer edge and the area's proportions. */
function inputFor(area: Box, { edge, stride }: DetectorLayout): Size {
  const scale = edge / Math.max(area.width, area.height);
  const round = (length: number) => Math.max(stride, Math.ceil((length * scale) / stride) * stride);
  return { width: round(area.width), height: round(area.height) };
}

function inFrame({ box, score, landmarks }: Face, area: Box, { scale, inside }: Letterbox): Face {
  const place = ({ x, y }: { readonly x: number; readonly y: number }) => ({
    x: area.x + (x - inside.x) / scale,
    y: area.y + (y - inside.y) / scale,
  });
  return {
    box: { ...place(box), width: box.width / scale, height: box.height / scale },
    score,
    landmarks: landmarks.map(place),
  };
}
