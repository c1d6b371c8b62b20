import type { Box } from './box.ts';

/** One number that moves with constant velocity: its estimate and the estimate's covariance. */
export interface AxisState {
  readonly position: number;
  readonly velocity: number;
  /** Variance of the position, covariance, variance of the velocity. */
  readonly p: number;
  readonly pv: number;
  readonly v: number;
}

/** A moving box as centre, aspect (width over height) and height. Plain data: it can be stored. */
export interface BoxState {
  readonly centerX: AxisState;
  readonly centerY: AxisState;
  readonly aspect: AxisState;
  readonly height: AxisState;
}

interface Noise {
  readonly position: number;
  readonly velocity: number;
  readonly measured: number;
}

/** Standard deviations as shares of the box's height, from DeepSORT (Wojke 2017), which ByteTrack takes them from. */
const POSITION_SHARE = 1 / 20;
const VELOCITY_SHARE = 1 / 160;
/** The aspect has no unit: its deviations are fixed. */
const ASPECT_NOISE: Noise = { position: 1e-2, velocity: 1e-5, measured: 1e-1 };

/*
 * The Kalman filter of SORT's descendants has eight numbers in its state. All of its matrices link a coordinate with
 * its own velocity and nothing else, so it falls apart into four filters of two numbers each, with the same result.
 */

/** The state after the first sight of a box: at rest, as far as is known. */
export function startBox(box: Box): BoxState {
  const noise = noiseOf(box.height);
  const start = (
    position: number,
    { position: p, velocity }: Noise,
    first: number,
    still: number,
  ): AxisState => ({
    position,
    velocity: 0,
    p: (first * p) ** 2,
    pv: 0,
    v: (still * velocity) ** 2,
  });
  return {
    centerX: start(box.x + box.width / 2, noise, 2, 10),
    centerY: start(box.y + box.height / 2, noise, 2, 10),
    aspect: start(box.width / box.height, ASPECT_NOISE, 1, 1),
    height: start(box.height, noise, 2, 10),
  };
}

/** One frame further. @param isLost the height of a box that is not seen stays as it is */
export function predictBox(state: BoxState, isLost: boolean): BoxState {
  const noise = noiseOf(state.height.position);
  const height = isLost ? { ...state.height, velocity: 0 } : state.height;
  return {
    centerX: predict(state.centerX, noise),
    centerY: predict(state.centerY, noise),
    aspect: predict(state.aspect, ASPECT_NOISE),
    height: predict(height, noise),
  };
}

/** The state corrected by a box that was seen. */
export function correctBox(state: BoxState, box: Box): BoxState {
  const noise = noiseOf(state.height.position);
  return {
    centerX: correct(state.centerX, box.x + box.width / 2, noise),
    centerY: correct(state.centerY, box.y + box.height / 2, noise),
    aspect: correct(state.aspect, box.width / box.height, ASPECT_NOISE),
    height: correct(state.height, box.height, noise),
  };
}

/** Where the box is believed to be. */
export function boxOf({ centerX, centerY, aspect, height }: BoxState): Box {
  const width = aspect.position * height.position;
  return {
    x: centerX.position - width / 2,
    y: centerY.position - height.position / 2,
    width,
    height: height.position,
  };
}

function noiseOf(height: number): Noise {
  const position = POSITION_SHARE * height;
  return { position, velocity: VELOCITY_SHARE * height, measured: position };
}

function predict({ position, velocity, p, pv, v }: AxisState, noise: Noise): AxisState {
  return {
    position: position + velocity,
    velocity,
    p: p + 2 * pv + v + noise.position ** 2,
    pv: pv + v,
    v: v + noise.velocity ** 2,
  };
}

function correct({ position, velocity, p, pv, v }: AxisState, seen: number, noise: Noise): AxisState {
  const spread = p + noise.measured ** 2;
  const gain = p / spread;
  const velocityGain = pv / spread;
  const error = seen - position;
  return {
    position: position + gain * error,
    velocity: velocity + velocityGain * error,
    p: p - gain * p,
    pv: pv - gain * pv,
    v: v - velocityGain * pv,
  };
}
