import type { Box } from './box.ts';

/** Kalman state of one coordinate with constant velocity: the estimate and its covariance. */
export interface AxisState {
  readonly position: number;
  readonly velocity: number;
  /** Variance of the position, covariance, variance of the velocity. */
  readonly p: number;
  readonly pv: number;
  readonly v: number;
}

/** Kalman state of a box: centre, aspect ratio (width over height) and height. Plain data that can be stored. */
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

/** Standard deviations as shares of the box's height; ByteTrack has them from DeepSORT (Wojke 2017). */
const POSITION_SHARE = 1 / 20;
const VELOCITY_SHARE = 1 / 160;
/** The aspect ratio has no unit, so its deviations are constant. */
const ASPECT_NOISE: Noise = { position: 1e-2, velocity: 1e-5, measured: 1e-1 };

/*
 * The Kalman filter of SORT and its successors has eight state variables. Its matrices connect a coordinate only with its
 * own velocity, so four independent filters with two variables give the same result.
 */

/** The state after the first detection of a box, with velocity 0. */
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

/** Predicts the state of the next frame. @param isLost whether the track is lost; its height then stays constant */
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

/** The state corrected by a detected box. */
export function correctBox(state: BoxState, box: Box): BoxState {
  const noise = noiseOf(state.height.position);
  return {
    centerX: correct(state.centerX, box.x + box.width / 2, noise),
    centerY: correct(state.centerY, box.y + box.height / 2, noise),
    aspect: correct(state.aspect, box.width / box.height, ASPECT_NOISE),
    height: correct(state.height, box.height, noise),
  };
}

/** The estimated box. */
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
