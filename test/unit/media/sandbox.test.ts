import { expect, test } from 'vitest';
import { sandboxArguments } from '../../../src/media/ffmpeg/sandbox.ts';

const bound = (args: readonly string[], kind: string): string[] =>
  args.filter((_, i) => args[i - 1] === kind).filter((path) => !path.startsWith('/usr'));

test('the sandbox gives access to GPU devices only for decoding on a GPU', () => {
  const reads = '/videos/clip.mp4';
  const devices = ['/dev/nvidia0', '/dev/nvidiactl', '/sys'];
  const without = sandboxArguments('/usr/bin/ffmpeg', { reads });
  const withGpu = sandboxArguments('/usr/bin/ffmpeg', { reads, devices });
  expect(bound(without, '--dev-bind-try')).toEqual([]);
  expect(bound(withGpu, '--dev-bind-try')).toEqual(['/dev/nvidia0', '/dev/nvidiactl']);
  expect(bound(withGpu, '--ro-bind-try')).toContain('/sys');
  expect(bound(without, '--ro-bind-try')).not.toContain('/sys');
  // After `--dev`, which mounts an empty /dev.
  expect(withGpu.indexOf('--dev-bind-try')).toBeGreaterThan(withGpu.indexOf('--dev'));
  expect(bound(withGpu, '--ro-bind')).toEqual([reads]);
});
