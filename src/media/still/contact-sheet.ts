import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { FrameFormat } from '../../domain/media-info.ts';
import { eightBits, findDetail, type Area } from './find-detail.ts';

/** One result on the sheet. */
export interface SheetCell {
  readonly title: string;
  readonly subtitle: string;
  readonly format: FrameFormat;
  readonly pixels: Buffer;
}

/** Largest size of the part of each result that is shown, at its own resolution. */
const CELL = { width: 480, height: 360 };
const GAP = 12;
const LABEL_HEIGHT = 52;
/** Room for the label of a small frame. */
const LEAST_LABEL_WIDTH = 260;
const MOST_COLUMNS = 3;
const BACKGROUND = '#16181d';

/**
 * Writes one PNG with the same detail of every result side by side, pixel for pixel, after an overview of the frame in which
 * the detail is marked.
 *
 * @param cells results of the same size
 */
export async function writeContactSheet(
  path: string,
  cells: readonly [SheetCell, ...SheetCell[]],
): Promise<void> {
  const [{ format }] = cells;
  const size = { width: Math.min(CELL.width, format.width), height: Math.min(CELL.height, format.height) };
  const detail = findDetail(bytesOf(cells[0]), format, size);
  const overview = await drawOverview(cells[0], detail, size);
  const details = await Promise.all(
    cells.map((cell) => image(cell).extract(detail.extract).png().toBuffer()),
  );
  const images = [overview, ...details];
  const labels = [{ title: 'the frame', subtitle: 'the marked part is compared' }, ...cells];
  const columns = images.length === 4 ? 2 : Math.min(MOST_COLUMNS, images.length);
  const rows = Math.ceil(images.length / columns);
  const labelWidth = Math.max(size.width, LEAST_LABEL_WIDTH);
  const step = { x: labelWidth + GAP, y: size.height + LABEL_HEIGHT + GAP };
  const parts = images.flatMap((input, i) => {
    const [left, top] = [GAP + (i % columns) * step.x, GAP + Math.floor(i / columns) * step.y];
    const { title, subtitle } = labels[i] ?? { title: '', subtitle: '' };
    return [
      { input, left, top },
      { input: label(title, subtitle, labelWidth), left, top: top + size.height },
    ];
  });
  const sheet = sharp({
    create: {
      width: GAP + columns * step.x,
      height: GAP + rows * step.y,
      channels: 3,
      background: BACKGROUND,
    },
  });
  await writeFile(path, await sheet.composite(parts).png().toBuffer());
}

/** The whole frame, as large as a cell, with a rectangle around the detail. */
async function drawOverview(
  cell: SheetCell,
  { extract }: Area,
  size: { readonly width: number; readonly height: number },
): Promise<Buffer> {
  const { width, height } = cell.format;
  const factor = Math.min(size.width / width, size.height / height);
  const [w, h] = [Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))];
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}"><rect x="${extract.left * factor}" y="${extract.top * factor}" width="${extract.width * factor}" height="${extract.height * factor}" fill="none" stroke="#ffcc33" stroke-width="2"/></svg>`;
  const small = await image(cell).resize(w, h).png().toBuffer();
  return sharp(small)
    .composite([{ input: Buffer.from(frame), left: 0, top: 0 }])
    .png()
    .toBuffer();
}

function bytesOf({ pixels, format }: SheetCell): Uint8Array {
  return eightBits(pixels, format.pixelFormat === 'rgb24' ? 8 : 16);
}

function image(cell: SheetCell) {
  const { width, height } = cell.format;
  return sharp(bytesOf(cell), { raw: { width, height, channels: 3 }, limitInputPixels: false });
}

function label(title: string, subtitle: string, width: number): Buffer {
  const text = (y: number, size: number, weight: string, fill: string, content: string): string =>
    `<text x="2" y="${y}" font-family="sans-serif" font-size="${size}" font-weight="${weight}" fill="${fill}">${escapeXml(content)}</text>`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${LABEL_HEIGHT}">${text(20, 17, 'bold', '#ffffff', title)}${text(41, 14, 'normal', '#b8bcc6', subtitle)}</svg>`,
  );
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
