import { basename, join } from 'node:path';
import type { SheetCell } from '../media/still/contact-sheet.ts';
import { visibleText } from '../lib/visible-text.ts';
import { formatDuration, formatRate } from '../observability/format-progress.ts';
import type { Cli } from './cli.ts';
import { formatTable } from './format-table.ts';
import type { TryTime } from './try-times.ts';

/** What `framekiln try --json` prints: one JSON object per line, first that of the frame, then one for each model. */
export type TryLine = TryFrame | TryResult | TryFailure;

export interface TryFrame {
  readonly kind: 'frame';
  readonly file: string;
  /** Time of the frame in seconds; null for a still image. */
  readonly atSeconds: number | null;
  /** Of the video; null for a still image, and where the file does not say. */
  readonly durationSeconds: number | null;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  /** In the order in which they are tried. */
  readonly models: readonly string[];
  /** Centre of the part of the frame with the most edges, as shares of its width and height. */
  readonly detail: { readonly x: number; readonly y: number };
  /** Which model may suit the file better than that of the settings, as the rest of a sentence; null if none does. */
  readonly advice: string | null;
}

export interface TryResult extends TryTime {
  readonly kind: 'result';
  /** As in a recipe: a name, or the path of an ONNX file. */
  readonly model: string;
  /** Which engine ran it. */
  readonly summary: string;
  /** File name in the folder of the images. */
  readonly image: string;
  /** File name of a clip of the model beside the source; null if none was wanted, and for the source itself. */
  readonly clip: string | null;
}

export interface TryFailure {
  readonly kind: 'failure';
  readonly model: string;
  readonly message: string;
}

/** Prints what `framekiln try` does: as text with a table at the end, or each step as JSON. */
export class TryOutput {
  readonly #cli: Cli;
  readonly #folder: string;
  readonly #isJson: boolean;
  readonly #results: TryResult[] = [];
  #scale = 1;

  constructor(cli: Cli, folder: string, isJson: boolean) {
    this.#cli = cli;
    this.#folder = folder;
    this.#isJson = isJson;
  }

  begin(frame: TryFrame): void {
    this.#scale = frame.scale;
    const at = frame.atSeconds === null ? '' : ` at ${frame.atSeconds.toFixed(2)} s`;
    if (this.#isJson) this.#print(frame);
    else
      this.#cli.print(
        `${visibleText(basename(frame.file))}${at}, scale ${frame.scale}, into ${this.#folder}`,
      );
    if (!this.#isJson && frame.advice !== null)
      this.#cli.print(`${visibleText(basename(frame.file))} ${frame.advice}`);
  }

  /** Says which model is at work, where somebody watches. */
  starting(model: string): void {
    if (this.#cli.interactive && !this.#isJson) this.#cli.complain(`${visibleText(shortName(model))} …`);
  }

  /** Says how many frames of a clip are done, where somebody watches. */
  progress(model: string, done: number, all: number): void {
    if (this.#cli.interactive && !this.#isJson && done % 10 === 0)
      this.#cli.complain(`${visibleText(shortName(model))}: ${done} of ${all} frames of the clip`);
  }

  result(result: TryResult): void {
    this.#results.push(result);
    if (this.#isJson) this.#print(result);
  }

  failure(failure: TryFailure): void {
    if (this.#isJson) this.#print(failure);
    else this.#cli.complain(`${visibleText(shortName(failure.model))}: ${visibleText(failure.message)}`);
  }

  end(): void {
    if (this.#isJson || this.#results.length === 0) return;
    const hasClips = this.#results.some(({ clip }) => clip !== null);
    const rows = this.#results.map((result) => {
      const { speed, whole } = timeTexts(result);
      return [shortName(result.model), speed, whole, [result.image, result.clip ?? []].flat().join(', ')].map(
        visibleText,
      );
    });
    for (const line of formatTable(
      ['MODEL', 'SPEED', 'WHOLE FILE', hasClips ? 'IMAGE, CLIP' : 'IMAGE'],
      rows,
    ))
      this.#cli.print(line);
    this.#cli.print(`All side by side: ${visibleText(join(this.#folder, 'sheet.png'))}`);
    this.#cli.print(
      `To use one, add --model NAME --scale ${this.#scale} to framekiln run; for all videos: framekiln config set recipe.model NAME`,
    );
  }

  #print(line: TryLine): void {
    this.#cli.print(JSON.stringify(line));
  }
}

/** Title and subtitle of a result on the contact sheet. */
export function sheetLabels(result: TryResult): Pick<SheetCell, 'title' | 'subtitle'> {
  const { speed, whole } = timeTexts(result);
  return {
    title: result.model === 'lanczos' ? 'source (lanczos)' : shortName(result.model),
    subtitle: [speed, whole === '' ? '' : `whole file: ${whole}`].filter(Boolean).join(' · '),
  };
}

function timeTexts({ framesPerSecond, seconds }: TryTime): {
  readonly speed: string;
  readonly whole: string;
} {
  return {
    speed: framesPerSecond === null ? '' : `${formatRate(framesPerSecond)} fps`,
    whole: seconds === null ? '' : `about ${formatDuration(seconds * 1000)}`,
  };
}

/** A model without its folder and extension. */
export function shortName(model: string): string {
  return basename(model, '.onnx');
}
