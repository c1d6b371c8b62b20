/** Draws the frames of a scene, and says where the faces are. */
import { poseOf } from './actors.mjs';
import { openMouth } from './open-mouth.mjs';

/** The part of an actor's frame that is drawn, in heights of the face around its centre. */
const AROUND = { left: 1.6, right: 1.6, above: 1.3, below: 3.2 };

/** A face counts as visible if this share of it is in the image. */
const VISIBLE = 0.75;

/**
 * Draws a frame.
 *
 * @param layers shots with a `weight` (all weights add up to 1), a `set` (number of the background), a `level` (brightness,
 *   0 to 1) and `people`: `id` (of an actor), centre `x`, `y` and height `h` of the face in pixels, and `opening` (of the
 *   mouth, 0 to 1; absent: that of the clip); later people cover
 *   earlier ones; `panes` are the actors that the panes should show in reading order, A and B if absent
 * @returns the pixels, and for each layer the faces that are not covered, and `panes`
 */
export function compose(layers, time, actors, { width, height }) {
  const drawn = layers.map((layer) => drawShot(layer, time, actors, width, height));
  const [first, second] = drawn;
  const shots = drawn.map(({ faces }, i) => ({ faces, panes: layers[i].panes ?? ['A', 'B'] }));
  if (second === undefined) return { pixels: first.pixels, shots };
  const share = layers[1].weight;
  const pixels = Buffer.alloc(first.pixels.length);
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = Math.round(first.pixels[i] * (1 - share) + second.pixels[i] * share);
  return { pixels, shots };
}

function drawShot({ set, level = 1, people }, time, actors, width, height) {
  const pixels = background(set, width, height);
  let faces = [];
  for (const person of people) {
    const { area, box } = drawPerson(pixels, person, time, actors[person.id], width, height);
    faces = faces.filter(({ box: { x, y, width: w, height: h } }) => !contains(area, x + w / 2, y + h / 2));
    if (shareInside(box, width, height) >= VISIBLE) faces.push({ id: person.id, box });
  }
  if (level !== 1) for (let i = 0; i < pixels.length; i++) pixels[i] = Math.round(pixels[i] * level);
  return { pixels, faces };
}

function shareInside(box, width, height) {
  const across = Math.min(width, box.x + box.width) - Math.max(0, box.x);
  const down = Math.min(height, box.y + box.height) - Math.max(0, box.y);
  return (Math.max(0, across) * Math.max(0, down)) / (box.width * box.height);
}

function contains(area, x, y) {
  return x >= area.x && x <= area.x + area.width && y >= area.y && y <= area.y + area.height;
}

/** A wall with a pattern of its own, and noise like that of a camera. */
function background(set, width, height) {
  const pixels = Buffer.alloc(width * height * 3);
  let seed = 1 + set;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const wave = Math.sin(x / (60 + 17 * set) + set * 2.1) * Math.cos(y / (45 + 11 * set) + set);
      const base = 120 + 45 * wave + ((seed >>> 28) - 8) * 0.4;
      pixels[at] = base + 18 * Math.sin(set);
      pixels[at + 1] = base;
      pixels[at + 2] = base - 18 * Math.sin(set);
    }
  }
  return pixels;
}

/** Draws an actor, bilinearly scaled, so that the face is where the scene wants it in the clip's first frame. */
function drawPerson(scene, { x, y, h, opening = 0 }, time, actor, width, height) {
  const { pixels: filmed, box, mouth, first } = poseOf(actor, time);
  const pixels = opening === 0 ? filmed : openMouth(filmed, actor, mouth, box.height, opening);
  const scale = h / first.height;
  const [faceX, faceY] = [first.x + first.width / 2, first.y + first.height / 2];
  const inScene = (from) => ({
    x: x + (from.x - faceX) * scale,
    y: y + (from.y - faceY) * scale,
    width: from.width * scale,
    height: from.height * scale,
  });
  const whole = inScene({ x: 0, y: 0, width: actor.width, height: actor.height });
  const left = Math.ceil(Math.max(0, whole.x, x - AROUND.left * h));
  const right = Math.floor(Math.min(width, whole.x + whole.width - scale - 1, x + AROUND.right * h));
  const top = Math.ceil(Math.max(0, whole.y, y - AROUND.above * h));
  const bottom = Math.floor(Math.min(height, whole.y + whole.height - scale - 1, y + AROUND.below * h));
  for (let row = top; row < bottom; row++) {
    const sourceY = (row - whole.y) / scale;
    const y0 = Math.floor(sourceY);
    const fy = sourceY - y0;
    for (let column = left; column < right; column++) {
      const sourceX = (column - whole.x) / scale;
      const x0 = Math.floor(sourceX);
      const fx = sourceX - x0;
      const from = (y0 * actor.width + x0) * 3;
      const below = from + actor.width * 3;
      const to = (row * width + column) * 3;
      for (let c = 0; c < 3; c++) {
        const upper = pixels[from + c] * (1 - fx) + pixels[from + 3 + c] * fx;
        const lower = pixels[below + c] * (1 - fx) + pixels[below + 3 + c] * fx;
        scene[to + c] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return {
    area: { x: left, y: top, width: right - left, height: bottom - top },
    box: inScene(box),
  };
}
