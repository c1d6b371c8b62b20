import { expect, test } from 'vitest';
import type { FaceDetector } from '../../../src/pipelines/dual-face/detection/face.ts';
import type { FaceEmbedder } from '../../../src/pipelines/dual-face/identity/face-embedder.ts';
import { iou } from '../../../src/pipelines/dual-face/tracking/box.ts';
import { BENCHMARK_METHODS, playScenario, type Outcome } from '../../helpers/tracking/tracking-benchmark.ts';
import type { ScenarioFrame } from '../../helpers/tracking/synthetic-scenarios.ts';
import { compose, readActor, SCENE, type Actor, type Places } from '../../helpers/composed-scenes.ts';
import { hasDetector, openDetector, openEmbedder, hasEmbedder } from '../../helpers/face-detectors.ts';
import { whyNoSharedMedia } from '../../helpers/shared-media.ts';

const FRAMES = 90;
const SEATS = [60, 900] as const;

/** Progress from frame `from` to frame `to`, 0 to 1. */
function progress(frame: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (frame - from) / (to - from)));
}

/** Scenes of two people that are composed here, so that identities and positions are known. */
const SCENES: Record<string, (frame: number, a: Actor, b: Actor) => Places> = {
  'side by side': (_, a, b) => [
    { actor: a, id: 1, x: SEATS[0] },
    { actor: b, id: 2, x: SEATS[1] },
  ],
  'swapping sides': (frame, a, b) => [
    { actor: b, id: 2, x: SEATS[1] + (SEATS[0] - SEATS[1]) * progress(frame, 20, 65) },
    { actor: a, id: 1, x: SEATS[0] + (SEATS[1] - SEATS[0]) * progress(frame, 20, 65) },
  ],
  'leaving and coming back': (frame, a, b) => [
    { actor: a, id: 1, x: SEATS[0] },
    frame >= 40 && frame < 60
      ? null
      : { actor: b, id: 2, x: SEATS[1] + 380 * (progress(frame, 20, 40) - progress(frame, 55, 75)) },
  ],
  'passing in front of the other and back': (frame, a, b) => [
    { actor: b, id: 2, x: SEATS[1] },
    { actor: a, id: 1, x: SEATS[0] + 900 * (progress(frame, 5, 40) - progress(frame, 45, 80)) },
  ],
};

async function stage(
  scene: (frame: number) => Places,
  detector: FaceDetector,
  embedder: FaceEmbedder,
): Promise<ScenarioFrame[]> {
  const frames: ScenarioFrame[] = [];
  for (let frame = 0; frame < FRAMES; frame++) {
    const { pixels, truth } = compose(frame, scene(frame));
    const detections = await detector.detect(pixels, SCENE.width, SCENE.height);
    frames.push({
      ...{ truth, detections, isCut: false },
      embed: (box) => {
        const face = detections.find((each) => iou(each.box, box) > 0.4);
        return face === undefined
          ? Promise.resolve(null)
          : embedder.embed(pixels, SCENE.width, SCENE.height, face);
      },
    });
  }
  return frames;
}

test(
  'identities survive composed scenes of real people',
  { timeout: 300_000, tags: ['slow'] },
  async ({ skip }) => {
    if (whyNoSharedMedia !== null) skip(whyNoSharedMedia);
    if (!hasDetector('YuNet of any size') || !hasEmbedder()) skip('the models are not installed');
    const [detector, embedder] = [await openDetector('YuNet of any size'), openEmbedder()];
    const a = await readActor(detector, ['again', 'brother', 'yes']);
    const b = await readActor(detector, ['milk', 'sorry', 'thanks']);
    const lines: string[] = [];
    const outcomes = new Map<string, Outcome>();
    for (const [name, places] of Object.entries(SCENES)) {
      const frames = await stage((frame) => places(frame, a, b), detector, embedder);
      for (const method of BENCHMARK_METHODS) {
        const outcome = await playScenario(frames, SCENE.width, method);
        outcomes.set(`${name}: ${method}`, outcome);
        const { idf1, switches, lastingSwitches, paneSwaps, comparedShare } = outcome;
        lines.push(
          `${name}: ${method}: IDF1 ${idf1.toFixed(3)}, ${switches} switches, ${lastingSwitches} lasting, ${paneSwaps} pane swaps, compared in ${(100 * comparedShare).toFixed(1)} %`,
        );
      }
    }
    console.log(lines.join('\n'));
    for (const name of Object.keys(SCENES)) {
      expect(outcomes.get(`${name}: whole tracks`), name).toMatchObject({ switches: 0, lastingSwitches: 0 });
      expect(outcomes.get(`${name}: whole tracks`)?.idf1, name).toBeGreaterThan(0.95);
    }
  },
);
