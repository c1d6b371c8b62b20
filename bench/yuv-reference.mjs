/** Shares of red and blue in luma. */
export const MATRICES = {
  bt709: [0.2126, 0.0722],
  smpte170m: [0.299, 0.114],
  fcc: [0.3, 0.11],
  smpte240m: [0.212, 0.087],
  bt2020nc: [0.2627, 0.0593],
};

/** The cubic filter of swscale (B = 0, C = 0.6), stretched to twice its length. */
function weight(distance) {
  const x = Math.abs(distance) / 2;
  if (x < 1) return (1.4 * x - 2.4) * x * x + 1;
  return x < 2 ? ((-0.6 * x + 3) * x - 4.8) * x + 2.4 : 0;
}

/** Halves a plane along one axis, with samples at `centre` between the first (0) and the second (1) of two pixels. */
function halve(plane, width, height, axis, centre) {
  const [step, length, stride, others, otherStride] =
    axis === 'x' ? [2, width, 1, height, width] : [2, height, width, width, 1];
  const taps = [];
  for (let i = -4; i <= 5; i++) if (weight(i - centre) !== 0) taps.push([i, weight(i - centre)]);
  const sum = taps.reduce((total, [, w]) => total + w, 0);
  const halved = new Float64Array(plane.length / 2);
  const [toStride, toOther] = axis === 'x' ? [1, width / 2] : [width, 1];
  for (let other = 0; other < others; other++)
    for (let at = 0; at < length; at += step) {
      let value = 0;
      for (const [i, w] of taps)
        value += w * plane[other * otherStride + Math.min(Math.max(at + i, 0), length - 1) * stride];
      halved[other * toOther + (at / 2) * toStride] = value / sum;
    }
  return halved;
}

/**
 * Planes of YUV in double precision, before rounding.
 *
 * @param {Uint8Array | Uint16Array} rgb packed
 * @param {{ width: number, height: number, matrix: string, range: string, chroma: string, location: string, white: number }} frame
 * @returns {{ planes: Float64Array[], largest: number }}
 */
export function yuvInDoubles(rgb, { width, height, matrix, range, chroma, location, white }) {
  const [red, blue] = MATRICES[matrix];
  const deep = rgb.BYTES_PER_ELEMENT === 2;
  const [level, largest] = deep ? [4, 1023] : [1, 255];
  const [lumaSpan, chromaSpan] = range === 'tv' ? [219 * level, 224 * level] : [largest, largest];
  const planes = [0, 1, 2].map(() => new Float64Array(width * height));
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = [0, 1, 2].map((colour) => rgb[3 * i + colour] / white);
    const luma = red * r + (1 - red - blue) * g + blue * b;
    planes[0][i] = luma * lumaSpan + (range === 'tv' ? 16 * level : 0);
    planes[1][i] = ((b - luma) / (2 * (1 - blue))) * chromaSpan + 128 * level;
    planes[2][i] = ((r - luma) / (2 * (1 - red))) * chromaSpan + 128 * level;
  }
  const subsampled = (plane) => {
    const columns = chroma === '444' ? plane : halve(plane, width, height, 'x', 0);
    return chroma === '420' ? halve(columns, width / 2, height, 'y', location === 'left' ? 0.5 : 0) : columns;
  };
  return { planes: [planes[0], subsampled(planes[1]), subsampled(planes[2])], largest };
}

/** PSNR in dB of each plane of a converted frame. */
export function psnrOf(converted, { planes, largest }) {
  let at = 0;
  return planes.map((plane) => {
    let sum = 0;
    for (const value of plane) sum += (converted[at++] - Math.min(Math.max(value, 0), largest)) ** 2;
    return 10 * Math.log10(largest ** 2 / (sum / plane.length));
  });
}

/** A frame with smooth colours, edges and noise, up to `white`. */
export function testFrame(width, height, bytesPerComponent, white) {
  const rgb = new (bytesPerComponent === 1 ? Uint8Array : Uint16Array)(3 * width * height);
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let colour = 0; colour < 3; colour++) {
        const smooth = 0.5 + 0.45 * Math.sin((x * (colour + 1)) / 17 + y / (9 + 4 * colour));
        const blocks = ((x >> 4) + (y >> 3) * (colour + 2)) % 5 === 0 ? 1 - smooth : smooth;
        const value = y < height / 2 ? blocks : random();
        rgb[3 * (y * width + x) + colour] = Math.round(value * white);
      }
  return rgb;
}
