// A CUDA addon in JavaScript: it repeats each pixel of a frame, tile by tile, like `repeatingModel`. It is loaded from a
// file like the real one, and can have the faults of wrong kernels.

const { Buffer } = require('node:buffer');
const { setImmediate } = require('node:timers');

/** @param fault what is wrong with it; null: nothing */
module.exports = (scale, fault) => ({
  describeDevices: () => ({
    devices: [{ index: 0, computeCapability: fault === 'wgmma' ? '9.0' : '8.9' }],
    ...{ reason: null, cudaVersion: '12.9' },
  }),
  load: (plan, device, plain) =>
    Promise.resolve(new FakeModel(scale, plain && fault === 'wgmma' ? null : fault)),
});

class FakeModel {
  constructor(scale, fault) {
    Object.assign(this, { scale, fault, runs: 0, inFlight: 0, last: null });
  }

  async run(data, channels, height, width) {
    const { scale } = this;
    const result = new Float32Array(data.length * scale * scale);
    for (let i = 0; i < result.length; i++) {
      const [x, y] = [i % (width * scale), Math.floor(i / (width * scale)) % (height * scale)];
      const plane = Math.floor(i / (width * height * scale * scale));
      result[i] = data[(plane * height + Math.floor(y / scale)) * width + Math.floor(x / scale)];
    }
    return [{ data: result, shape: [1, channels, height * scale, width * scale] }];
  }

  async upscale(pixels, width, height, bytesPerComponent, tile) {
    const { scale, fault } = this;
    const run = ++this.runs;
    const isAlone = ++this.inFlight === 1;
    await new Promise((resolve) => setImmediate(resolve));
    const read = (x, y, color) => {
      const at = ((y * width + x) * 3 + color) * bytesPerComponent;
      return bytesPerComponent === 1 ? pixels[at] : pixels[at] + 256 * pixels[at + 1];
    };
    const result = Buffer.alloc(pixels.length * scale * scale);
    for (let y = 0; y < height * scale; y++)
      for (let x = 0; x < width * scale; x++)
        for (let color = 0; color < 3; color++) {
          let [fromX, fromY] = [Math.floor(x / scale), Math.floor(y / scale)];
          if (fault === 'tile beside its place' && tile > 0 && fromX >= tile) fromX--;
          if (['second block', 'wgmma'].includes(fault) && fromX >= 128) fromX = 127;
          let value = read(fromX, fromY, color);
          if (fault === 'one pixel' && x === 77 && y === 55) value = 0;
          if (fault === 'swapped bytes' && bytesPerComponent === 2)
            value = (value >> 8) + 256 * (value & 255);
          if (fault === '44 dB')
            value = Math.max(0, value + (x % 2 ? 0.0065 : -0.0065) * (256 ** bytesPerComponent - 1));
          const at = ((y * width * scale + x) * 3 + color) * bytesPerComponent;
          if (bytesPerComponent === 1) result[at] = value;
          else result.writeUInt16LE(Math.min(65535, Math.round(value)), at);
        }
    if (fault === 'second run' && run > 2) result.fill(this.last);
    if (fault === 'two at once' && !isAlone) result.set(result.subarray(0, 999), result.length - 999);
    if (fault === 'little memory' && width * height > 20_000) {
      this.inFlight--;
      throw Object.assign(new Error('cudaErrorMemoryAllocation'), { code: 'OUT_OF_MEMORY' });
    }
    if (fault === 'loses the device' && run > 2) {
      throw Object.assign(new Error('cudaErrorUnknown'), { code: 'DEVICE_LOST' });
    }
    this.inFlight--;
    this.last = result;
    return result;
  }

  dispose() {}
}
