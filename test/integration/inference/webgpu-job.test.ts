import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { makeHome, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { repeatingModel } from '../../helpers/tiny-models.ts';
import { fakeVulkanDriver, whyNoVulkan } from '../../helpers/vulkan-drivers.ts';

const whyNot = whyNoVulkan();

test(
  'a job with WebGPU gives the frames of the CPU, and its log names the GPU',
  { tags: ['slow'] },
  ({ skip }) => {
    if (whyNot !== null) skip(whyNot);
    const root = temporaryFolder();
    const driver = fakeVulkanDriver(root);
    const model = join(root, 'repeats.onnx');
    writeFileSync(model, repeatingModel(2));
    const clip = makeClip(join(root, 'clip.mp4'), { frames: 12, width: 64, height: 48 });
    const upscaled = (name: string, options: string[], environment: Record<string, string>) => {
      const home = makeHome(join(root, name));
      mkdirSync(join(home, 'output'), { recursive: true });
      const args = [
        'run',
        clip,
        '--home',
        home,
        '--model',
        model,
        '--scale',
        '2',
        '--skip-checks',
        ...options,
      ];
      const { status, stderr } = run(args, environment);
      expect(stderr + String(status)).toMatch(/0$/);
      return {
        log: readFileSync(join(home, 'logs/framekiln.log'), 'utf8'),
        file: join(home, 'output/clip.mp4'),
      };
    };
    const vulkan = { VK_ICD_FILENAMES: driver, FRAMEKILN_SOFTWARE_ADAPTERS: '1' };
    const onGpu = upscaled('gpu', ['--device', 'gpu'], vulkan);
    const onCpu = upscaled('cpu', ['--device', 'cpu'], {});
    expect(onGpu.log).toMatch(/repeats with onnxruntime with WebGPU \(SwiftShader Device \(\w+\)\)/);
    expect(onCpu.log).toContain('with onnxruntime on the CPU');
    expect(frameMd5(onGpu.file)).toEqual(frameMd5(onCpu.file));
  },
);
