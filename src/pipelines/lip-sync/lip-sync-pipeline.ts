import { basename } from 'node:path';
import { setImmediate as nextEvents } from 'node:timers/promises';
import { InputRejectedError, InternalError } from '../../domain/errors.ts';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { LipSyncRecipe } from '../../domain/recipe.ts';
import { counted } from '../../lib/counted.ts';
import { asComponents } from '../components.ts';
import { analyseFrame } from '../dual-face/analysis/analyse-frames.ts';
import {
  FIRST_ANALYSIS,
  readAnalysisState,
  writeAnalysisState,
} from '../dual-face/analysis/analysis-state.ts';
import type { Observation } from '../dual-face/analysis/observation.ts';
import { FallbackDetector } from '../dual-face/detection/fallback-detector.ts';
import type { Box } from '../dual-face/tracking/box.ts';
import type {
  AnalysedFrames,
  DirectedFrames,
  Frame,
  FramePipeline,
  VideoAnalysis,
} from '../frame-pipeline.ts';
import type { ModelPipelineNeeds, Speech } from '../pipeline-needs.ts';
import { chooseFaces } from './choose-face.ts';
import { decodeBoxes, encodeBoxes } from './face-boxes.ts';
import { blendFace, FaceMasks, readFace } from './face-image.ts';
import {
  decodeFindings,
  decodeSeenFrames,
  encodeFindings,
  KnownFaces,
  type SeenFrame,
} from './known-faces.ts';
import { lipSyncFormats } from './lip-sync-formats.ts';
import { drawnFrames, mixOf, runsOf, type Run } from './mouth-frames.ts';
import { MouthModel, type DrawnFace } from './mouth-model.ts';
import { repeatBoxes } from './repeat-boxes.ts';
import { packInput } from './speech.ts';

export interface LipSyncOptions extends ModelPipelineNeeds {
  readonly recipe: LipSyncRecipe;
}

interface OpenPipeline {
  /** File name of the video. */
  readonly name: string;
  readonly format: FrameFormat;
  readonly framesPerSecond: number;
  readonly speech: Speech;
  readonly known: KnownFaces;
  readonly detector: FallbackDetector;
  readonly mouth: MouthModel;
}

/** The drawn faces of a batch, by their places in it. */
interface DrawnBatch {
  readonly first: number;
  readonly boxes: readonly (Box | null)[];
  readonly runs: readonly Run[];
  readonly faces: ReadonlyMap<number, DrawnFace>;
}

/**
 * Makes the mouth of a person move with a speech. The first pass detects and follows faces; then one face is chosen for each
 * shot; the second pass runs the model on that face and blends what it draws into the frames.
 */
export class LipSyncPipeline implements FramePipeline, VideoAnalysis {
  readonly analysis: VideoAnalysis = this;
  readonly reducedTile = null;
  summary = '';
  readonly #options: LipSyncOptions;
  readonly #masks = new FaceMasks();
  #open: OpenPipeline | null = null;
  #drawn: DrawnBatch | null = null;

  constructor(options: LipSyncOptions) {
    this.#options = options;
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe, detector: file, speech } = this.#options;
    if (file === null || file === undefined || speech === undefined)
      throw new InternalError('A lip-sync job needs a face detector and a speech.');
    const { num, den } = source.video.averageFrameRate ?? { num: 25, den: 1 };
    const detector = await FallbackDetector.load({ ...this.#options, model: file }, recipe.device);
    try {
      const mouth = await MouthModel.load(this.#options, recipe.device);
      const known = new KnownFaces(speech.seenFrames === null ? [] : decodeSeenFrames(speech.seenFrames));
      const format = lipSyncFormats(source).input;
      this.#open = {
        ...{ name: basename(source.path), format, framesPerSecond: num / den },
        ...{ speech, known, detector, mouth },
      };
      this.summary = `${mouth.summary}, ${counted(speech.facesAtOnce, 'face')} at once; ${detector.summary}`;
    } catch (error) {
      await detector.dispose();
      throw error;
    }
  }

  async analyse(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    stateBefore: Uint8Array | null,
    signal: AbortSignal,
    onFrame: (frameNumber: number) => void,
  ): Promise<AnalysedFrames> {
    const { format, detector, known } = this.#opened();
    let state = stateBefore === null ? FIRST_ANALYSIS : readAnalysisState(stateBefore);
    const observations: Observation[] = [];
    const seen: SeenFrame[] = [];
    const tools = {
      format,
      ...{ detectEvery: 1, measuresHeights: false },
      detect: async (frame: Frame) => {
        const found = await known.find(frame.pixels, () => detector.detect(frame, format));
        seen.push(found);
        return found[1];
      },
      embed: () => Promise.resolve(null),
    };
    for await (const frame of frames) {
      signal.throwIfAborted();
      const analysed = await analyseFrame(state, frame, tools);
      state = analysed.state;
      observations.push(analysed.observation);
      onFrame(frame.number);
      await nextEvents();
    }
    const findings = encodeFindings({ observations, frames: seen });
    return { findings, state: writeAnalysisState(state), isDegraded: false };
  }

  direct(findings: readonly Uint8Array[], batchFrames: readonly number[]): Promise<DirectedFrames> {
    const { name, format, known, speech } = this.#opened();
    const observations = findings.flatMap((bytes) => decodeFindings<Observation>(bytes).observations);
    // Only the frames of the source itself are analysed: the others repeat them.
    const own = chooseFaces(observations, this.#options.recipe.face, format);
    const frames = batchFrames.reduce((sum, count) => sum + count, 0);
    const boxes = repeatBoxes(own, frames, speech.cycle);
    const withFace = boxes.filter((box) => box !== null).length;
    if (withFace === 0)
      return Promise.reject(
        new InputRejectedError('NO_FACE', `${name} shows no face that could speak; choose another video.`),
      );
    let from = 0;
    const directions = batchFrames.map((count) => encodeBoxes(boxes.slice(from, (from += count))));
    const again = known.reused === 0 ? '' : `; ${counted(known.reused, 'frame')} not searched again`;
    const conclusion = `a face speaks in ${withFace} of ${counted(boxes.length, 'frame')}${again}`;
    return Promise.resolve({ directions, conclusion, decisions: JSON.stringify({ boxes }) });
  }

  hear(mel: Float32Array): void {
    const open = this.#opened();
    const all = new Float32Array(open.speech.mel.length + mel.length);
    all.set(open.speech.mel);
    all.set(mel, open.speech.mel.length);
    this.#open = { ...open, speech: { ...open.speech, mel: all } };
  }

  /** Draws the faces of the whole batch, so that as many as possible are drawn at once. */
  async lookAhead(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    signal: AbortSignal,
    direction: Uint8Array | null,
  ): Promise<void> {
    const { format, framesPerSecond, speech, mouth } = this.#opened();
    if (direction === null) throw new InternalError('A lip-sync frame is drawn without a direction.');
    const boxes = decodeBoxes(direction);
    const runs = runsOf(boxes);
    const { frameSkip } = this.#options.recipe;
    const wanted = new Set(
      runs.flatMap((run) => drawnFrames(run.count, frameSkip).map((frame) => run.first + frame)),
    );
    const faces = new Map<number, DrawnFace>();
    let first: number | null = null;
    let waiting: { place: number; input: Float32Array }[] = [];
    const draw = async (): Promise<void> => {
      const drawn = await mouth.draw(
        waiting.map(({ input }) => input),
        speech.facesAtOnce,
      );
      waiting.forEach(({ place }, i) => faces.set(place, drawn[i] ?? new Float32Array(0)));
      waiting = [];
      // A request to stop arrives as an event, and other jobs share this thread.
      await nextEvents();
      signal.throwIfAborted();
    };
    for await (const { number, pixels } of frames) {
      first ??= number;
      const place = number - first;
      const box = boxes[place] ?? null;
      if (box === null || !wanted.has(place)) continue;
      const face = readFace(asComponents(pixels, format), format, box);
      waiting.push({ place, input: packInput(face, speech.mel, number, framesPerSecond) });
      this.#options.onInferred(number);
      if (waiting.length >= speech.facesAtOnce) await draw();
    }
    if (waiting.length > 0) await draw();
    this.#drawn = { first: first ?? 0, boxes, runs, faces };
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    _direction: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const { format } = this.#opened();
    const drawn = this.#drawn;
    if (drawn === null) throw new InternalError('A lip-sync frame is drawn without its faces.');
    for await (const frame of frames) {
      await nextEvents();
      signal.throwIfAborted();
      const place = frame.number - drawn.first;
      const box = drawn.boxes[place] ?? null;
      const face = this.#faceAt(drawn, place);
      if (box === null || face === null) {
        yield frame;
        continue;
      }
      const pixels = Buffer.from(frame.pixels);
      blendFace(asComponents(pixels, format), format, box, face, this.#masks.of(box.width, box.height));
      yield { number: frame.number, pixels };
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    this.#drawn = null;
    await open?.detector.dispose();
    await open?.mouth.dispose();
  }

  /** The face of a frame; null if none speaks in it. */
  #faceAt({ runs, faces }: DrawnBatch, place: number): DrawnFace | null {
    const { frameSkip, interpolate } = this.#options.recipe;
    const run = runs.find(({ first, count }) => place >= first && place < first + count);
    if (run === undefined) return null;
    const mix = mixOf(place - run.first, run.count, frameSkip, interpolate);
    const [from, to] = [faces.get(run.first + mix.from), faces.get(run.first + mix.to)];
    if (from === undefined || to === undefined || mix.share === 0) return from ?? to ?? null;
    return from.map((value, i) => value + ((to[i] ?? 0) - value) * mix.share);
  }

  #opened(): OpenPipeline {
    if (this.#open === null) throw new TypeError('The pipeline is not open.');
    return this.#open;
  }
}
