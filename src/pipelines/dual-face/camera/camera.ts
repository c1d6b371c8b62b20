import { insideImage, type Stage, type View } from './view.ts';

/** Plain data: it is stored with the checkpoint. */
export interface CameraState {
  readonly x: Axis;
  readonly y: Axis;
  /** Of the logarithm of the view's height: zooming by a factor takes equally long in and out. */
  readonly zoom: Axis;
}

interface Axis {
  readonly position: number;
  readonly velocity: number;
  /** Moving average of what is requested for. */
  readonly request: number;
  /** Whether the camera is on its way; at rest it stays until the request leaves the dead zone. */
  readonly isMoving: boolean;
}

/** Time constant of the request's moving average, in seconds: a detector's noise is gone after it. */
const REQUEST_SECONDS = 0.25;
/** Of a critically damped spring, 1/s: 90 % of the way take 3.9 / STIFFNESS seconds. */
const STIFFNESS = 4.5;
/** The dead zone, as a share of the view's height and as a ratio of heights. */
const DEAD_ZONE = 0.05;
const DEAD_ZOOM = Math.log(1.12);
/** A camera that is so near to its request, as a share of the dead zone, has arrived. */
const ARRIVED = 0.06;
/** It must be so slow, too, as a share of the fastest, to stop without a jolt. */
const SLOW = 0.012;
/** In heights of the view a second; in factors of e a second. */
const FASTEST_PAN = 1.2;
const FASTEST_ZOOM = 1.2;

/** A camera that stands at a view. */
export function standAt(view: View): CameraState {
  return { x: stand(view.centerX), y: stand(view.centerY), zoom: stand(Math.log(view.height)) };
}

/**
 * Follows a view that is requested for: at rest while the request stays in the dead zone, else on a critically damped spring
 * with limited velocity, which does not overshoot a request that has come to rest.
 *
 * @param seconds since the frame before
 */
export function follow(camera: CameraState, request: View, seconds: number): CameraState {
  const height = Math.exp(camera.zoom.position);
  const zone = height * DEAD_ZONE;
  const fastest = height * FASTEST_PAN;
  return {
    x: step(camera.x, request.centerX, zone, fastest, seconds),
    y: step(camera.y, request.centerY, zone, fastest, seconds),
    zoom: step(camera.zoom, Math.log(request.height), DEAD_ZOOM, FASTEST_ZOOM, seconds),
  };
}

/** What the camera shows, never more of what is beyond the image than it must. */
export function viewOf({ x, y, zoom }: CameraState, stage: Stage): View {
  return insideImage({ centerX: x.position, centerY: y.position, height: Math.exp(zoom.position) }, stage);
}

function stand(position: number): Axis {
  return { position, velocity: 0, request: position, isMoving: false };
}

function step(axis: Axis, requested: number, deadZone: number, fastest: number, seconds: number): Axis {
  const request = requested + (axis.request - requested) * Math.exp(-seconds / REQUEST_SECONDS);
  const away = Math.abs(request - axis.position);
  const arrived = away < deadZone * ARRIVED && Math.abs(axis.velocity) < fastest * SLOW;
  const isMoving = axis.isMoving ? !arrived : away > deadZone;
  if (!isMoving) return { position: axis.position, velocity: 0, request, isMoving };
  // The exact motion of the spring over the time of a frame: it is stable at any frame rate.
  const offset = axis.position - request;
  const pull = axis.velocity + STIFFNESS * offset;
  const decay = Math.exp(-STIFFNESS * seconds);
  const sprung = (offset + pull * seconds) * decay + request;
  const reach = fastest * seconds;
  const position = axis.position + Math.min(reach, Math.max(-reach, sprung - axis.position));
  const velocity = (axis.velocity - STIFFNESS * pull * seconds) * decay;
  return { position, velocity: Math.min(fastest, Math.max(-fastest, velocity)), request, isMoving };
}
