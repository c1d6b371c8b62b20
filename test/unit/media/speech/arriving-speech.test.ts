import { createReadStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ArrivingSpeech } from '../../../../src/media/speech/arriving-speech.ts';
import { decodeSpeech } from '../../../../src/media/speech/decode-speech.ts';
import {
  finalColumns,
  MEL_BANDS,
  melSpectrogram,
  samplesForColumns,
} from '../../../../src/media/speech/mel-spectrogram.ts';
import { ffmpeg } from '../../../helpers/clips.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

const never = new AbortController().signal;

function noise(name: string): string {
  const path = join(temporaryFolder(), name);
  ffmpeg('-f', 'lavfi', '-i', 'anoisesrc=d=3:a=0.3:r=44100:seed=7', '-strict', 'experimental', path);
  return path;
}

function arriving(bytes: AsyncIterable<Buffer>): ArrivingSpeech {
  return new ArrivingSpeech({ bytes: () => bytes, name: 'voice', folder: temporaryFolder() }, never);
}

test.each(['a.wav', 'a.mp3', 'a.flac', 'a.ogg', 'a.aac'])(
  'a speech in pieces is the speech of the file, but for its last tenth of a second: %s',
  async (name) => {
    const path = noise(name);
    const speech = arriving(createReadStream(path, { highWaterMark: 5000 }));
    expect(await speech.reaches(Infinity, never)).toBe(false);
    const whole = await decodeSpeech(path, never);
    const settled = speech.samples.length - 1600;
    expect(settled).toBeGreaterThan(44_000);
    expect(speech.samples.subarray(0, settled)).toEqual(whole.subarray(0, settled));
    await speech.close();
  },
);

test('samples are there while the rest is still to come, and an error of the input reaches everybody who waits', async () => {
  const bytes = readFileSync(noise('a.wav'));
  let fail = (): void => undefined;
  const broken = new Promise<void>((_, reject) => (fail = () => reject(new Error('torn'))));
  const speech = arriving(
    (async function* () {
      yield bytes.subarray(0, 100_000);
      yield bytes.subarray(100_000, 130_000);
      await broken;
    })(),
  );
  expect(await speech.reaches(16_000, never)).toBe(true);
  expect(speech.hasEnded).toBe(false);
  const waiting = expect(speech.reaches(40_000, never)).rejects.toThrow('torn');
  fail();
  await waiting;
  await expect(speech.reaches(40_000, never)).rejects.toThrow('torn');
  await speech.close();
});

test.each(['a.wav', 'a.mp3', 'a.ogg', 'a.aac'])(
  'what had arrived of a speech that was interrupted is a speech: %s',
  async (name) => {
    const path = noise(name);
    writeFileSync(path, readFileSync(path).subarray(0, Math.round(statSync(path).size * 0.6) + 1));
    const speech = arriving(createReadStream(path));
    expect(await speech.reaches(Infinity, never)).toBe(false);
    const whole = await decodeSpeech(path, never);
    const settled = speech.samples.length - 1600;
    expect(settled).toBeGreaterThan(10_000);
    expect(speech.samples.subarray(0, settled)).toEqual(whole.subarray(0, settled));
    await speech.close();
  },
);

test('what is no audio is rejected', async () => {
  const path = join(temporaryFolder(), 'text');
  writeFileSync(path, 'no audio at all\n'.repeat(10_000));
  const speech = arriving(createReadStream(path));
  await expect(speech.reaches(1, never)).rejects.toMatchObject({ code: 'BAD_AUDIO' });
  await speech.close();
});

test('a speech that says nothing more can be closed', async () => {
  const beginning = readFileSync(noise('a.wav')).subarray(0, 100_000);
  async function* bytes(signal: AbortSignal): AsyncIterable<Buffer> {
    yield beginning;
    await delay(3_600_000, undefined, { signal });
  }
  const speech = new ArrivingSpeech({ bytes, name: 'voice', folder: temporaryFolder() }, never);
  expect(await speech.reaches(1000, never)).toBe(true);
  await speech.close();
  expect(speech.hasEnded).toBe(false);
});

test('columns of the spectrogram that are final are those of the whole speech', async () => {
  const whole = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i * 1e-4) * 0.4);
  const mel = await melSpectrogram(whole, never);
  for (const length of [1, 400, 401, 599, 600, 601, 1999, 2000]) {
    const to = finalColumns(length);
    const from = Math.min(2, to);
    expect(await melSpectrogram(whole.subarray(0, length), never, { from, to })).toEqual(
      mel.subarray(from * MEL_BANDS, to * MEL_BANDS),
    );
    // The next column needs more samples than there are.
    expect(samplesForColumns(to + 1)).toBeGreaterThan(length);
    expect(samplesForColumns(to)).toBeLessThanOrEqual(length);
  }
});
