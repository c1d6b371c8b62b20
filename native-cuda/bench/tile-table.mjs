// node native-cuda/bench/tile-table.mjs (after `npm run build`): tiles of 1080p on GPUs of several sizes, by the memory of each
// model plan. Nothing is measured on a GPU.
import { readFileSync } from 'node:fs';
import { usableVideoMemory } from '../../dist/hardware/video-memory.js';
import { makePlan } from '../../dist/inference/plan/compile-plan.js';
import { workspaceBytesPerPixel } from '../../dist/inference/plan/plan-memory.js';
import { chooseGpuTile } from '../../dist/pipelines/upscale/choose-gpu-tile.js';

const [width, height] = [1920, 1080];
const models = { 'realesr-general-x4v3': 30, RealESRGAN_x4plus: 80 };

console.log(
  '| model | bytes a pixel | GPU | tile | frames at once | factor of work |\n|---|---|---|---|---|---|',
);
for (const [name, overlap] of Object.entries(models)) {
  const file = readFileSync(new URL(`../../models/${name}.onnx`, import.meta.url));
  const bytesPerPixel = workspaceBytesPerPixel(makePlan(file, name));
  for (const gigabytes of [6, 8, 12, 24]) {
    const totalBytes = gigabytes * 2 ** 30;
    const usableBytes = usableVideoMemory({ totalBytes, freeBytes: totalBytes });
    const frameBytes = width * height * 102;
    const { tile, lanes, work } = chooseGpuTile({
      width,
      height,
      overlap,
      bytesPerPixel,
      frameBytes,
      usableBytes,
      mostLanes: 3,
    });
    console.log(
      `| ${name} | ${bytesPerPixel} | ${gigabytes} GiB | ${tile ?? 'whole'} | ${lanes} | ${work.toFixed(2)} |`,
    );
  }
}
