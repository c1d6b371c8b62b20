import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { frameMd5 } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { MAIN, makeHome, readLog, run } from '../helpers/framekiln.ts';
import { makeFaceClip, makeSpeech, talkingModel } from '../helpers/lip-sync.ts';
import { sharedModels, whyNoSharedMedia } from '../helpers/shared-media.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* A speech that arrives on standard input while its video is made. The test decides when the rest of it arrives. */

const SLOW = { tags: ['slow'], timeout: 400_000 };

const WAIT = { timeout: 120_000, interval: 50 };

/** A home with a video of 2 seconds beside it. */
function streamHome(): string {
  const detector = sharedModels('yunet_n_640_640.onnx');
  const keys = { pipeline: 'lip-sync', detector, extend: 'ping-pong', latency: 'low', device: 'cpu' };
  const home = makeHome(
    temporaryFolder(),
    JSON.stringify({
      recipe: keys,
      batch: { firstFrames: 10, frames: 15 },
      workspace: { memoryFraction: 0.05 },
    }),
  );
  writeFileSync(join(home, 'models/wav2lip.onnx'), talkingModel());
  mkdirSync(join(home, 'clips'));
  return home;
}

const command = (home: string, audio: string): string[] => [
  ...['run', join(home, 'clips/anna.mp4'), '--audio', audio, '--skip-checks', '--home', home],
];

/** The program with a speech that the test writes. */
function startStreamed(home: string, environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...command(home, '-')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const killGroup = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended;
  };
  onTestFinished(killGroup);
  return { stdin: child.stdin, ended, killGroup };
}

function segments(home: string): string[] {
  const folder = join(home, '.framekiln/jobs/1/segments');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.mp4')) : [];
}

/** Path of the speech that is arriving; null before the program receives it. */
function part(home: string): string | null {
  const folder = join(home, '.framekiln/speech');
  const name = existsSync(folder) ? readdirSync(folder).find((each) => each.endsWith('.part')) : undefined;
  return name === undefined ? null : join(folder, name);
}

test.skipIf(whyNoSharedMedia !== null)(
  'segments are finished while the speech arrives, and the frames are those of a run with the whole speech, even after a kill',
  SLOW,
  async () => {
    const home = streamHome();
    const speech = join(home, 'clips/speech.wav');
    makeFaceClip(join(home, 'clips/anna.mp4'), 2);
    makeSpeech(speech, 4.7);
    const bytes = readFileSync(speech);
    expect(run(command(home, speech)).status).toBe(0);
    const wanted = frameMd5(join(home, 'output/anna.mp4'));
    expect(wanted).toHaveLength(59);

    const streamed = streamHome();
    copyFileSync(join(home, 'clips/anna.mp4'), join(streamed, 'clips/anna.mp4'));
    // The worker dies after its first checkpoint, and the next one goes on while the speech arrives.
    const points = failPointFolder(join(streamed, 'points'));
    points.arm('commit-batch.committed 1 kill');
    const { stdin, ended } = startStreamed(streamed, points.environment);
    // 1.4 seconds, of which the first batch needs 1.
    const beginning = 44 + 2 * 44_100 * 1.4;
    stdin.write(bytes.subarray(0, beginning));
    await vi.waitUntil(() => segments(streamed).length > 0, WAIT);
    // It has the first frames and no others, as no more has arrived.
    expect(segments(streamed)).toEqual([expect.stringMatching(/^b0000/)]);
    expect(frameMd5(join(streamed, '.framekiln/jobs/1/segments', segments(streamed)[0] ?? ''))).toEqual(
      wanted.slice(0, 10),
    );
    stdin.end(bytes.subarray(beginning));
    expect(await ended).toEqual([0, null]);
    expect(points.hasFired('commit-batch.committed')).toBe(true);
    expect(frameMd5(join(streamed, 'output/anna.mp4'))).toEqual(wanted);
    expect(readdirSync(join(streamed, '.framekiln/speech'))).toEqual([]);

    const killed = streamHome();
    copyFileSync(join(home, 'clips/anna.mp4'), join(killed, 'clips/anna.mp4'));
    const program = startStreamed(killed);
    // Three seconds, which end within a packet, and for which the video is not repeated as a whole.
    const cut = bytes.subarray(0, 44 + 2 * 44_100 * 3);
    program.stdin.write(cut);
    await vi.waitUntil(
      () => segments(killed).length > 1 && statSync(part(killed) ?? '/').size === cut.length,
      WAIT,
    );
    // The second segment is there, so the first one has its checkpoint.
    await program.killGroup();
    expect(run(command(killed, part(killed) ?? '')).status).toBe(0);
    expect(readLog(killed)).toContain('resuming from checkpoint');
    const ordinary = streamHome();
    copyFileSync(join(home, 'clips/anna.mp4'), join(ordinary, 'clips/anna.mp4'));
    writeFileSync(join(ordinary, 'clips/speech.wav'), cut);
    expect(run(command(ordinary, join(ordinary, 'clips/speech.wav'))).status).toBe(0);
    expect(frameMd5(join(killed, 'output/anna.mp4'))).toEqual(frameMd5(join(ordinary, 'output/anna.mp4')));
  },
);
