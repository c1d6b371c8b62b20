/**
 * Scenes in which people speak in turns, 640x360 at 25 frames per second. The mouths of the actors are opened by
 * open-mouth.mjs; F is a man who really talks. A scene has its `frames`, its `cuts`, `people(frame)` (see compose.mjs), `turns` (who
 * speaks from frame `from` below `to`, and is to be shown), `words` (shorter than a turn, so not to be shown), `sounds` (of which
 * frames have loud audio although nobody speaks) and `moves` (mouths that move in silence).
 */
const person = (id, x, h = 80, y = 150) => ({ id, x, y, h });
const turn = (who, from, to) => ({ who, from, to });
const TWO = [person('A', 170), person('B', 470)];
const THREE = [person('A', 110, 60), person('B', 320, 60), person('C', 530, 60)];
const always = (people) => () => people;

export const SPEAKING_SCENES = {
  'two in turns': {
    ...{ frames: 250, people: always(TWO) },
    turns: [turn('A', 10, 75), turn('B', 80, 150), turn('A', 150, 200), turn('B', 205, 250)],
  },
  'three in turns': {
    ...{ frames: 300, people: always(THREE) },
    turns: [turn('C', 0, 70), turn('A', 75, 140), turn('B', 145, 220), turn('A', 220, 300)],
  },
  'small faces': {
    ...{ frames: 200, people: always([person('A', 170, 32), person('B', 470, 32)]) },
    turns: [turn('A', 0, 100), turn('B', 100, 200)],
  },
  'a word in between': {
    ...{ frames: 200, people: always(TWO), turns: [turn('A', 0, 90), turn('A', 112, 200)] },
    words: [turn('B', 92, 110)],
  },
  'a pause of three seconds': {
    ...{ frames: 225, people: always(TWO), turns: [turn('A', 0, 75), turn('A', 150, 225)] },
  },
  'the listener chews in a pause': {
    ...{ frames: 250, people: always(TWO), turns: [turn('A', 0, 75), turn('A', 175, 250)] },
    moves: [turn('B', 80, 170)],
  },
  'a voice from elsewhere': {
    ...{ frames: 250, people: always(TWO), turns: [turn('A', 0, 75), turn('B', 175, 250)] },
    sounds: [turn(null, 80, 170)],
  },
  'cuts while somebody speaks': {
    ...{ frames: 200, cuts: [60, 140] },
    people: (frame) => (frame >= 60 && frame < 140 ? [person('B', 150, 105), person('A', 490, 105)] : TWO),
    turns: [turn('A', 0, 100), turn('B', 100, 200)],
  },
  'somebody who walks speaks': {
    frames: 200,
    people: (frame) => [person('A', 110), person('B', 550 - 200 * Math.sin((Math.PI * frame) / 200))],
    turns: [turn('B', 0, 110), turn('A', 110, 200)],
  },
  'real speech beside somebody silent': {
    ...{ frames: 180, people: always([person('F', 170), person('B', 470)]), turns: [turn('F', 0, 180)] },
  },
  'real speech beside a head that turns': {
    ...{ frames: 180, people: always([person('E', 170), person('F', 470)]), turns: [turn('F', 0, 180)] },
  },
};

/** How far a mouth is open in a frame: 4.3 syllables per second, of different loudness. */
export function openingOf({ turns, words = [], moves = [] }, id, frame, rate) {
  if (id === 'F' || ![...turns, ...words, ...moves].some((each) => each.who === id && isIn(each, frame)))
    return 0;
  const seconds = frame / rate + id.charCodeAt(0);
  const syllable = Math.max(0, Math.sin(2 * Math.PI * 4.3 * seconds));
  return syllable * (0.65 + 0.35 * Math.sin(2 * Math.PI * 0.9 * seconds));
}

/** Decibels of the audio of a frame: syllables, or the noise of a room. */
export function loudnessOf({ turns, words = [], sounds = [] }, frame) {
  const isLoud = [...turns, ...words, ...sounds].some((each) => isIn(each, frame));
  return isLoud ? -22 + 7 * Math.sin(frame * 1.1) : -52 + 2 * Math.sin(frame * 2.3);
}

export function isIn({ from, to }, frame) {
  return frame >= from && frame < to;
}
