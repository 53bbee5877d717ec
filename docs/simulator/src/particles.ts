/** Calls on their way: from the clients through the gate to the provider, and back. */

import type { Call, Calls } from './calls.js';
import type { Palette } from './palette.js';

/** The positions of the stage's parts, in pixels. */
export interface Places {
  clients: number;
  gateIn: number;
  gateOut: number;
  provider: number;
  /** The height of the way there, and of the way back. */
  rail: number;
  back: number;
}

/** How long a call is seen before it meets the gate, at least at the provider, and on its way back: in seconds of the viewer. */
const LEAD = 0.6;
const SHORTEST = 0.45;
const TAIL = 1.3;

/** The most requests a second that are drawn one by one. */
const DRAWN_PER_SECOND = 30;

/** One of this many requests is drawn. */
export function share(perSecond: number, speed: number): number {
  return Math.max(1, Math.ceil((perSecond * speed) / DRAWN_PER_SECOND));
}

export interface Filter {
  worker: number;
  provider: number;
  /** One of this many requests is drawn; probes always are. */
  share: number;
}

/** Draws the calls of one circuit at a time; returns how many. Times are stretched so that a viewer can follow at any speed. */
export function drawCalls(
  context: CanvasRenderingContext2D,
  calls: Calls,
  time: number,
  speed: number,
  filter: Filter,
  places: Places,
  palette: Palette,
): number {
  let drawn = 0;
  for (const call of calls.seen(time, LEAD * speed, (TAIL + SHORTEST) * speed)) {
    const isOurs = call.worker === filter.worker && call.provider === filter.provider;
    if (isOurs && (call.isProbe || call.request % filter.share === 0)) {
      drawn += 1;
      drawCall(context, call, (time - call.from) / speed, (call.to - call.from) / speed, places, palette);
    }
  }
  return drawn;
}

/** `age` and `lasted` are in seconds of the viewer. */
function drawCall(
  context: CanvasRenderingContext2D,
  call: Call,
  age: number,
  lasted: number,
  places: Places,
  palette: Palette,
): void {
  // A place of its own for each call, so that those of one moment do not cover each other.
  const scatter = ((call.request * 0.618_034) % 1) - 0.5;
  const y = places.rail + scatter * 16;
  if (age < 0) {
    const x = mix(places.clients, places.gateIn - 8, 1 + age / LEAD);
    context.globalAlpha = Math.min(1, (age + LEAD) * 6);
    onItsWay(context, x, mix(y, places.rail, clamp((age + LEAD) / LEAD)), call, palette);
  } else if (call.fate === 'rejected' || call.fate === 'rejected_in_vain') {
    turnedBack(context, age / TAIL, places, scatter, palette);
  } else {
    const staysFor = Math.max(lasted, SHORTEST);
    if (age < staysFor) {
      const x = mix(places.gateIn, places.provider - 10 + scatter * 12, ease(clamp(age / SHORTEST)));
      // A call that hangs fades where it hangs.
      context.globalAlpha = call.fate === 'timed_out' ? 1 - 0.65 * clamp(age / staysFor) : 1;
      onItsWay(context, x, mix(places.rail, y, clamp(age / SHORTEST)), call, palette);
    } else {
      answered(context, call, (age - staysFor) / TAIL, y, places, palette);
    }
  }
  context.globalAlpha = 1;
}

function onItsWay(context: CanvasRenderingContext2D, x: number, y: number, call: Call, palette: Palette): void {
  context.fillStyle = palette.ink;
  disc(context, x, y, 3.5);
  context.fill();
  if (call.isProbe) {
    context.strokeStyle = palette.half_open;
    context.lineWidth = 2;
    disc(context, x, y, 7.5);
    context.stroke();
  }
}

function turnedBack(
  context: CanvasRenderingContext2D,
  progress: number,
  places: Places,
  scatter: number,
  palette: Palette,
): void {
  if (progress > 1) {
    return;
  }
  const reach = places.gateIn - places.clients;
  const x = places.gateIn - 8 - reach * ease(progress);
  const y = places.rail + 15 * ease(progress * 5) + scatter * 8;
  context.globalAlpha = 1 - progress * progress;
  context.strokeStyle = palette.refused;
  context.lineWidth = 2;
  path(context, [x + 1, y - 3.5], [x - 3, y], [x + 1, y + 3.5]);
  path(context, [x - 3, y], [x + 5, y]);
}

/** From the provider down, and back below the gate to the clients. */
function answered(
  context: CanvasRenderingContext2D,
  call: Call,
  progress: number,
  y: number,
  places: Places,
  palette: Palette,
): void {
  if (progress > 1) {
    return;
  }
  const from = places.provider - 10;
  const x = mix(from, places.clients, ease(clamp((progress - 0.12) / 0.88)));
  const height = mix(y, places.back, ease(clamp(progress / 0.22)));
  context.globalAlpha = clamp((1 - progress) * 5);
  if (call.fate === 'answered') {
    context.fillStyle = palette.closed;
    disc(context, x, height, 4);
    context.fill();
    context.strokeStyle = palette.card;
    context.lineWidth = 1.4;
    path(context, [x - 2, height], [x - 0.5, height + 1.6], [x + 2.2, height - 1.6]);
  } else if (call.fate === 'rate_limited' || call.fate === 'ignored' || call.fate === 'unknown') {
    context.strokeStyle = palette.soft;
    context.lineWidth = 2;
    context.setLineDash(call.fate === 'unknown' ? [2, 2] : []);
    context.strokeRect(x - 3.2, height - 3.2, 6.4, 6.4);
    context.setLineDash([]);
  } else {
    context.strokeStyle = palette.open;
    context.lineWidth = 2.2;
    path(context, [x - 3.4, height - 3.4], [x + 3.4, height + 3.4]);
    path(context, [x + 3.4, height - 3.4], [x - 3.4, height + 3.4]);
  }
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
}

function path(context: CanvasRenderingContext2D, ...points: [number, number][]): void {
  context.beginPath();
  for (const [x, y] of points) {
    context.lineTo(x, y);
  }
  context.stroke();
}

function mix(from: number, to: number, progress: number): number {
  return from + (to - from) * progress;
}

function clamp(progress: number): number {
  return Math.min(1, Math.max(0, progress));
}

function ease(progress: number): number {
  const clamped = clamp(progress);
  return clamped * clamped * (3 - 2 * clamped);
}
