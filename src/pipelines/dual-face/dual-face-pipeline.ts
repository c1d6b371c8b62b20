import { readFile } from 'node:fs/promises';
import { EngineError, toError } from '../../domain/errors.ts';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { DualFaceRecipe } from '../../domain/recipe.ts';
import { asComponents } from '../components.ts';
import type { Frame, FramePipeline } from '../frame-pipeline.ts';
import type { ModelPipelineNeeds } from '../pipeline-needs.ts';
import { lookForCut } from './camera/cut-detector.ts';
import { loadFaceDetector } from './detection/face-detector.ts';
import type { Face, FaceDetector } from './detection/face.ts';
import { describeDirection, direct } from './direction/director.ts';
import { FaceEmbedder } from './identity/face-embedder.ts';
import { identify } from './identity/identity-keeper.ts';
import { peopleBetween, withLast } from './key-frames.ts';
import { Screen } from './composition/screen.ts';
import { iou, type Box } from './tracking/box.ts';
import { FIRST_STATE, readState, writeState, type DualFaceState } from './state.ts';
import { splitScreenFormats } from './split-screen-formats.ts';
import { ByteTracker, TRACKER_DEFAULTS } from './tracking/byte-tracker.ts';

export interface DualFaceOptions extends ModelPipelineNeeds {
  readonly recipe: DualFaceRecipe;
}

interface OpenPipeline {
  readonly input: FrameFormat;
  readonly screen: Screen;
  readonly framesPerSecond: number;
  detector: FaceDetector;
  /** null: not configured, or abandoned after a failure. */
  embedder: FaceEmbedder | null;
}

/** Minimum overlap (IoU) of a detection with the box of its track. */
const SAME_FACE = 0.4;
/** Maximum number of frames that are drawn at once. */
const CONCURRENT_DRAWS = 2;

/**
 * Makes a split screen of a video of two people: it detects and tracks faces, identifies people, decides what each pane
 * shows, and draws. All steps between detection and drawing are pure functions of the state in the checkpoint.
 */
export class DualFacePipeline implements FramePipeline {
  readonly reducedTile = null;
  summary = '';
  readonly #options: DualFaceOptions;
  #open: OpenPipeline | null = null;
  #state: DualFaceState = FIRST_STATE;

  constructor(options: DualFaceOptions) {
    this.#options = options;
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe } = this.#options;
    const { input, output } = splitScreenFormats(source, recipe);
    const { num, den } = source.video.sampleAspectRatio;
    const rate = source.video.averageFrameRate;
    this.#open = {
      input,
      screen: new Screen({ from: input, to: output, pixelAspect: num / den }, recipe.layout),
      // The frame rate in the header of animated images and streams is unreliable; it only sets the speed of the cameras.
      framesPerSecond: Math.min(240, Math.max(1, rate === null ? 25 : rate.num / rate.den)),
      detector: await this.#load(recipe.device),
      embedder: this.#embedder(),
    };
    const every = recipe.detectEvery === 1 ? 'in every frame' : `once in ${recipe.detectEvery} frames`;
    this.summary = `${this.#open.detector.summary}, ${every}`;
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    state: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const open = this.#open;
    if (open === null) throw new TypeError('The pipeline is not open.');
    this.#state = state === null ? FIRST_STATE : readState(state);
    const { recipe } = this.#options;
    const waiting: Frame[] = [];
    const drawing: Promise<Frame>[] = [];
    try {
      for await (const { item: frame, isLast } of withLast(frames)) {
        signal.throwIfAborted();
        const before = this.#state;
        const cut = lookForCut(before.cut, asComponents(frame.pixels, open.input), open.input);
        const isNewShot = cut.isCut || before.cut === null;
        this.#state = { ...before, cut: cut.state };
        waiting.push(frame);
        if (!isNewShot && !isLast && frame.number % recipe.detectEvery !== 0) continue;
        for (const drawn of await this.#advance(open, waiting.splice(0), isNewShot)) {
          drawing.push(drawn);
          while (drawing.length > CONCURRENT_DRAWS) yield await takeFirst(drawing);
        }
      }
      while (drawing.length > 0) yield await takeFirst(drawing);
    } finally {
      // After an early exit, pending draws still read their frames.
      await Promise.allSettled(drawing);
    }
  }

  snapshot(): Uint8Array {
    return writeState(this.#state);
  }

  conclusion(): string {
    const { direction, identity, frames } = this.#state;
    const { looks, enrolments, corrections, framesWithLooks } = identity.counts;
    const share = ((100 * framesWithLooks) / Math.max(1, frames)).toFixed(1);
    return (
      `${describeDirection(direction)}; faces compared in ${share} % of frames ` +
      `(enrolled ${enrolments}, re-identified ${looks}, corrected ${corrections})`
    );
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.detector.dispose();
    await open?.embedder?.dispose();
  }

  /** Detects faces in the last of the frames and advances the state to it; returns the frames, still being drawn. */
  async #advance(
    open: OpenPipeline,
    frames: readonly Frame[],
    isNewShot: boolean,
  ): Promise<Promise<Frame>[]> {
    const last = frames.at(-1);
    if (last === undefined) return [];
    const before = this.#state;
    const faces = await this.#detect(open, last);
    const tracker = new ByteTracker(
      TRACKER_DEFAULTS,
      isNewShot ? { ...before.tracker, frame: 0, tracks: [] } : before.tracker,
    );
    const tracked = tracker.update(faces);
    const seenFrame = before.frames + frames.length;
    const identity = await identify(before.identity, tracked, seenFrame, (face) =>
      this.#embed(open, last, faces, face.box),
    );
    let { direction } = before;
    const drawn = frames.map((frame, i) => {
      const isKey = frame === last;
      const people =
        isKey || isNewShot
          ? (isKey ? identity : before.identity).people
          : peopleBetween(before.identity.people, identity.people, (i + 1) / frames.length);
      const scene = { frame: before.frames + i + 1, people, isNewShot: isKey && isNewShot };
      const { shot, state } = direct(direction, scene, {
        stage: open.screen.paneStage,
        framesPerSecond: open.framesPerSecond,
        missing: this.#options.recipe.missing,
      });
      direction = state;
      return open.screen.draw(frame, shot);
    });
    this.#state = { ...before, frames: seenFrame, tracker: tracker.snapshot(), identity, direction };
    return drawn;
  }

  /** If the engine fails, the CPU repeats the frame, so a failure does not skip a detection. */
  async #detect(open: OpenPipeline, { number, pixels }: Frame): Promise<Face[]> {
    const { width, height } = open.input;
    const bytes = eightBits(pixels, open.input);
    this.#options.onInferred(number);
    try {
      return await open.detector.detect(bytes, width, height);
    } catch (error) {
      if (!(error instanceof EngineError) || this.#options.recipe.device === 'cpu') throw error;
      this.#options.onStepDown(
        `${toError(error).message} Face detection continues on the CPU from frame ${number}.`,
      );
      await open.detector.dispose();
      open.detector = await this.#load('cpu');
      return open.detector.detect(bytes, width, height);
    }
  }

  /** The embedding of the face that was detected in a box; null if there is none. */
  async #embed(
    open: OpenPipeline,
    { number, pixels }: Frame,
    faces: readonly Face[],
    box: Box,
  ): Promise<Float32Array | null> {
    const face = faces.find((each) => iou(each.box, box) > SAME_FACE);
    if (open.embedder === null || face === undefined) return null;
    const { width, height } = open.input;
    try {
      return await open.embedder.embed(eightBits(pixels, open.input), width, height, face);
    } catch (error) {
      this.#options.onStepDown(
        `cannot compare faces: ${toError(error).message} From frame ${number}, people are identified by position and size only.`,
      );
      await open.embedder.dispose();
      open.embedder = null;
      return null;
    }
  }

  #embedder(): FaceEmbedder | null {
    const { embedding, recipe, engines, threads } = this.#options;
    if (embedding === null) return null;
    return new FaceEmbedder({
      ...{ device: recipe.device, engines, threads },
      readModel: () => readFile(embedding.path),
    });
  }

  async #load(device: DualFaceRecipe['device']): Promise<FaceDetector> {
    const { model, engines, threads } = this.#options;
    return loadFaceDetector(await readFile(model.path), model.name, { device, engines, threads });
  }
}

/** Packed RGB of 8 bits. */
function eightBits(pixels: Buffer, format: FrameFormat): Uint8Array {
  if (format.pixelFormat === 'rgb24') return pixels;
  const deep = asComponents(pixels, format);
  const bytes = new Uint8Array(deep.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (deep[i] ?? 0) >> 8;
  return bytes;
}

async function takeFirst(drawing: Promise<Frame>[]): Promise<Frame> {
  const [first] = drawing;
  if (first === undefined) throw new TypeError('No frame is being drawn.');
  const frame = await first;
  void drawing.shift();
  return frame;
}
