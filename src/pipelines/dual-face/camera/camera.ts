import { insideImage, type ViewGeometry, type View } from './view.ts';

/** Plain data that is stored in the checkpoint. */
export interface CameraState {
  readonly x: Axis;
  readonly y: Axis;
  /** Axis of the logarithm of the view's height, so that zooming in and out by a factor takes the same time. */
  readonly zoom: Axis;
}

/** One degree of freedom of a camera. */
export interface Axis {
  readonly position: number;
  readonly velocity: number;
  /** Moving average of the requested positions. */
  readonly target: number;
  /** Whether the camera is moving; at rest it stays where it is until the target leaves the dead zone. */
  readonly isMoving: boolean;
}

/** Time constant of the target's moving average, in seconds; it removes the detector's noise. */
const TARGET_SECONDS = 0.25;
/** Stiffness of the critically damped spring, in 1/s; 90 % of the way takes 3.9 / STIFFNESS seconds. */
const STIFFNESS = 4.5;
/** The dead zone, as a share of the view's height and as a ratio of heights. */
const DEAD_ZONE = 0.05;
const DEAD_ZOOM = Math.log(1.12);
/** A camera has arrived when it is this near to its target, as a share of the dead zone. */
const ARRIVED = 0.06;
/** To stop without a jolt, it must also be this slow, as a share of the maximum speed. */
const SLOW = 0.012;
/** A camera lags by at most this share of the view's height, so that somebody who walks stays in the view. */
const LEASH = 0.2;
/** Maximum speeds: in heights of the view per second, and in factors of e per second. */
const FASTEST_PAN = 1.2;
const FASTEST_ZOOM = 1.2;

/** A camera at rest that shows a view. */
export function cameraAt(view: View): CameraState {
  return { x: stand(view.centerX), y: stand(view.centerY), zoom: stand(Math.log(view.height)) };
}

/**
 * Moves a camera towards a view for one frame. It stays at rest while its target is in the dead zone, and otherwise
 * moves like a critically damped spring with limited velocity, which does not overshoot a target at rest.
 *
 * @param seconds since the previous frame
 */
export function moveCamera(camera: CameraState, view: View, seconds: number): CameraState {
  const height = Math.exp(camera.zoom.position);
  const zone = height * DEAD_ZONE;
  const fastest = height * FASTEST_PAN;
  return {
    x: step(camera.x, view.centerX, zone, fastest, seconds),
    y: step(camera.y, view.centerY, zone, fastest, seconds),
    zoom: step(camera.zoom, Math.log(view.height), DEAD_ZOOM, FASTEST_ZOOM, seconds),
  };
}

/** The view that the camera shows, moved inside the image as far as possible. */
export function viewOf({ x, y, zoom }: CameraState, geometry: ViewGeometry): View {
  return insideImage({ centerX: x.position, centerY: y.position, height: Math.exp(zoom.position) }, geometry);
}

/** A camera after a step, moved so that it does not lag behind the view too far; somebody who walks stays in the pane. */
export function keepNear(before: CameraState, after: CameraState, view: View, seconds: number): CameraState {
  const leash = LEASH * Math.exp(after.zoom.position);
  return {
    ...after,
    x: pulled(before.x, after.x, view.centerX, leash, seconds),
    y: pulled(before.y, after.y, view.centerY, leash, seconds),
  };
}

/** The axis after a step, not further from the wanted position than the leash allows. */
function pulled(before: Axis, after: Axis, wanted: number, leash: number, seconds: number): Axis {
  const position = Math.min(wanted + leash, Math.max(wanted - leash, after.position));
  if (position === after.position) return after;
  return { ...after, position, velocity: (position - before.position) / seconds, isMoving: true };
}

function stand(position: number): Axis {
  return { position, velocity: 0, target: position, isMoving: false };
}

function step(axis: Axis, wanted: number, deadZone: number, fastest: number, seconds: number): Axis {
  const target = wanted + (axis.target - wanted) * Math.exp(-seconds / TARGET_SECONDS);
  const away = Math.abs(target - axis.position);
  const arrived = away < deadZone * ARRIVED && Math.abs(axis.velocity) < fastest * SLOW;
  const isMoving = axis.isMoving ? !arrived : away > deadZone;
  if (!isMoving) return { position: axis.position, velocity: 0, target, isMoving };
  // The exact solution of the spring over one frame, which is stable at any frame rate.
  const offset = axis.position - target;
  const pull = axis.velocity + STIFFNESS * offset;
  const decay = Math.exp(-STIFFNESS * seconds);
  const sprung = (offset + pull * seconds) * decay + target;
  const reach = fastest * seconds;
  const position = axis.position + Math.min(reach, Math.max(-reach, sprung - axis.position));
  const velocity = (axis.velocity - STIFFNESS * pull * seconds) * decay;
  return { position, velocity: Math.min(fastest, Math.max(-fastest, velocity)), target, isMoving };
}
