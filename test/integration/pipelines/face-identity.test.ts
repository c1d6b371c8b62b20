import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { distanceOf, SAME_PERSON_DISTANCE } from '../../../src/pipelines/dual-face/identity/face-embedder.ts';
import { hasDetector, hasEmbedder, openDetector, openEmbedder } from '../../helpers/face-detectors.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';

/** Three people, each in several clips of 640x480. */
const PEOPLE = { A: ['again', 'brother', 'yes'], B: ['milk', 'thanks'], C: ['book', 'school'] } as const;

function readFrameAt(path: string, second: number): Uint8Array {
  const request = ['-v', 'error', '-ss', String(second), '-i', path, '-frames:v', '1'];
  return execFileSync('ffmpeg', [...request, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    maxBuffer: 2 ** 24,
  });
}

test('the nearest face in other clips is that of the same person', { timeout: 60_000 }, async ({ skip }) => {
  if (whyNoSharedMedia !== null) skip(whyNoSharedMedia);
  if (!hasEmbedder() || !hasDetector('blazeface-full-range')) skip('the models are not here');
  const detector = await openDetector('blazeface-full-range', { minScore: 0.5 });
  const embedder = openEmbedder();

  const seen: { person: string; clip: string; embedding: Float32Array }[] = [];
  for (const [person, clips] of Object.entries(PEOPLE)) {
    for (const clip of clips) {
      for (const second of [0.4, 1.3]) {
        const frame = readFrameAt(sharedMedia(`faces/${clip}.mkv`), second);
        const [face] = await detector.detect(frame, 640, 480);
        if (face === undefined) throw new TypeError(`No face in ${clip} at ${second} s.`);
        seen.push({ person, clip, embedding: await embedder.embed(frame, 640, 480, face) });
      }
    }
  }
  const pairs = seen.flatMap((a, i) =>
    seen.slice(i + 1).map((b) => ({
      isSame: a.person === b.person,
      distance: distanceOf(a.embedding, b.embedding),
    })),
  );
  const same = pairs.filter(({ isSame }) => isSame).map(({ distance }) => distance);
  const different = pairs.filter(({ isSame }) => !isSame).map(({ distance }) => distance);
  console.log(
    `same person: up to ${Math.max(...same).toFixed(3)}; different people: from ${Math.min(...different).toFixed(3)} on`,
  );
  expect(different.filter((distance) => distance < SAME_PERSON_DISTANCE).length).toBeLessThan(
    different.length * 0.02,
  );
  expect(same.filter((distance) => distance > SAME_PERSON_DISTANCE).length).toBeLessThan(same.length * 0.1);
  for (const { person, clip, embedding } of seen) {
    const others = seen.filter((other) => other.clip !== clip);
    const [nearest] = others.toSorted(
      (a, b) => distanceOf(a.embedding, embedding) - distanceOf(b.embedding, embedding),
    );
    expect(nearest?.person).toBe(person);
  }
});
