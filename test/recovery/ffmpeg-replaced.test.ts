import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A PATH on which the real ffmpeg says that it is another version. */
function pathWithVersion(version: string): string {
  const bin = temporaryFolder();
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  const said = `"$1" = -version ] && { echo "ffmpeg version ${version} Copyright (c) somebody"; exit 0; }`;
  writeFileSync(join(bin, 'ffmpeg'), `#!/bin/sh\n[ ${said}\nexec ${real} "$@"\n`);
  chmodSync(join(bin, 'ffmpeg'), 0o755);
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

test(
  'a job that resumes with another ffmpeg says so once, and is completed',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({ frames: 120 });
    await daemon.waitFor(() => daemon.job()?.state === 'running' && daemon.batchCount() > 0);
    await daemon.running.killGroup();
    const { status } = run(['start', '--once', '--home', daemon.home], { PATH: pathWithVersion('99.1') });
    expect(status).toBe(0);
    await daemon.completes();
    const warnings = readLog(daemon.home).match(/\[clip\.mp4\] ffmpeg has changed since this job started/g);
    expect(warnings).toHaveLength(1);
    expect(readLog(daemon.home)).toMatch(/now ffmpeg version 99\.1\)/);
    expect(daemon.job()?.plan?.ffmpegVersion).toBe('ffmpeg version 99.1');
  },
);
