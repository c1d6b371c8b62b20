import { availableParallelism } from 'node:os';
import { frameBytes, type FrameFormat } from '../domain/media-info.ts';
import { productsPerPixel, type CoreSpeed } from '../domain/speed.ts';
import { readGroupLimits } from '../lib/control-groups.ts';
import { resample } from '../pipelines/upscale/resample.ts';
import { benchmarkFfmpeg } from './benchmark-ffmpeg.ts';
import { median } from './median.ts';

const FROM: FrameFormat = { width: 320, height: 180, pixelFormat: 'rgb24' };
const TO: FrameFormat = { ...FROM, width: 640, height: 360 };
/** The first runs are slower, until the code is compiled. */
const WARM_UPS = 3;
const RUNS = 9;
const ENCODED_FRAMES = 24;
const TIMEOUT_MS = 20_000;

export interface CoreSettings {
  readonly crf: number;
  readonly preset: string;
}

/** Measures what one core does beside inference, in CPU time, so that other programs hardly matter. */
export async function measureCore(settings: CoreSettings): Promise<CoreSpeed> {
  const { cores } = await readGroupLimits();
  return {
    msPerProduct: measureResampling(),
    msPerEncodedPixel: await measureEncoding(settings),
    cores: cores === null ? availableParallelism() : Math.max(1, cores),
  };
}

function measureResampling(): number {
  const pixels = Buffer.from(Uint8Array.from({ length: frameBytes(FROM) }, (_, i) => (i * 7919) % 251));
  const times = Array.from({ length: WARM_UPS + RUNS }, () => {
    const before = process.cpuUsage();
    resample(pixels, FROM, TO);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  const products = TO.width * TO.height * productsPerPixel(TO.width / FROM.width, 1);
  return median(times.slice(WARM_UPS)) / products;
}

/** Encodes a moving pattern with a little noise, which takes about as long as an upscaled film. */
async function measureEncoding({ crf, preset }: CoreSettings): Promise<number> {
  const { width, height } = TO;
  const source = `testsrc2=s=${width}x${height}:r=24,noise=alls=2:allf=t,format=yuv420p`;
  const { cpuMs } = await benchmarkFfmpeg(
    [
      ...['-f', 'lavfi', '-i', source, '-frames:v', String(ENCODED_FRAMES)],
      ...['-c:v', 'libx264', '-threads', '1', '-preset', preset, '-crf', String(crf)],
    ],
    TIMEOUT_MS,
  );
  return cpuMs / (ENCODED_FRAMES * width * height);
}
