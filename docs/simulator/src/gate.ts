/** The gate: the switch, and below it the evidence that decides: pips, cells, buckets, probe slots, the wait. */

import { duration, percent } from './dom.js';
import { type Box, bar, label, line, pips } from './drawing.js';
import type { CircuitView, ConfigDocument, State } from './engine.js';
import { fieldOf } from './engine.js';
import type { Palette } from './palette.js';
import type { Places } from './particles.js';
import { drawWindow } from './window.js';

const FONT = '12px system-ui, sans-serif';
/** The width of the longest countdown of the probe slots, in pixels. */
const COUNTDOWN = 150;
/** The angle of the arm, in radians. */
const ANGLES: Record<State, number> = { closed: 0, half_open: 0.26, open: 0.6 };

/** Draws the rail with the switch. `arm` is the angle of its arm now. */
export function drawSwitch(
  context: CanvasRenderingContext2D,
  places: Places,
  arm: number,
  state: State | undefined,
  palette: Palette,
): void {
  const tone = state === undefined ? palette.soft : palette[state];
  context.strokeStyle = palette.line;
  context.lineWidth = 2;
  line(context, places.clients, places.rail, places.gateIn, places.rail);
  line(context, places.gateOut, places.rail, places.provider, places.rail);
  context.setLineDash([2, 5]);
  line(context, places.clients, places.back, places.provider, places.back);
  context.setLineDash([]);
  context.strokeStyle = tone;
  context.lineWidth = 4;
  context.lineCap = 'round';
  const length = places.gateOut - places.gateIn;
  context.setLineDash(state === 'half_open' ? [7, 7] : []);
  line(
    context,
    places.gateIn,
    places.rail,
    places.gateIn + Math.cos(arm) * length,
    places.rail - Math.sin(arm) * length,
  );
  context.setLineDash([]);
  context.lineCap = 'butt';
  context.fillStyle = palette.card;
  for (const x of [places.gateIn, places.gateOut]) {
    context.beginPath();
    context.arc(x, places.rail, 5, 0, Math.PI * 2);
    context.fill();
    context.stroke();
  }
}

export function armAngle(state: State | undefined): number {
  return ANGLES[state ?? 'closed'];
}

/** The height of what {@link drawEvidence} needs for a configuration. */
export function evidenceHeight(config: ConfigDocument | null): number {
  const rates = ['failure_rate_threshold', 'slow_call_rate_threshold'].filter(
    (name) => config !== null && fieldOf(config, name) !== null,
  );
  const hasStreak = config !== null && fieldOf(config, 'failure_threshold') !== null;
  return rates.length === 0 ? 66 : Math.max(86, 16 + (hasStreak ? 17 : 0) + 26 * rates.length + 36);
}

/** Draws what the circuit looks at: in `closed` its evidence, in `open` its wait, in `half_open` its probe slots. */
export function drawEvidence(
  context: CanvasRenderingContext2D,
  box: Box,
  view: CircuitView | undefined,
  config: ConfigDocument | null,
  wait: number | undefined,
  palette: Palette,
): void {
  context.fillStyle = palette.card;
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, 8);
  context.fill();
  context.stroke();
  context.font = FONT;
  context.textBaseline = 'middle';
  const inner = { x: box.x + 12, y: box.y + 8, width: box.width - 24, height: box.height - 16 };
  if (view === undefined || config === null) {
    label(context, 'no breaker: every call passes', '', inner, inner.y + inner.height / 2, palette);
  } else if (view.state === 'open') {
    drawWait(context, inner, view, wait, palette);
  } else if (view.state === 'half_open') {
    drawProbes(context, inner, view, config, palette);
  } else {
    drawClosed(context, inner, view, config, palette);
  }
}

function drawWait(
  context: CanvasRenderingContext2D,
  box: Box,
  view: CircuitView,
  wait: number | undefined,
  palette: Palette,
): void {
  const left = view.retry_after_seconds ?? 0;
  label(context, 'next probe in', duration(Number(left.toFixed(1))), box, box.y + 8, palette);
  bar(context, { ...box, y: box.y + 22, height: 8 }, wait === undefined ? 1 : left / wait, palette.open, palette);
}

function drawProbes(
  context: CanvasRenderingContext2D,
  box: Box,
  view: CircuitView,
  config: ConfigDocument,
  palette: Palette,
): void {
  const slots = Number(fieldOf(config, 'half_open_max_calls'));
  const needed = Number(fieldOf(config, 'success_threshold'));
  label(context, 'probes in flight', `${view.probe_slots} of ${slots}`, box, box.y + 8, palette);
  // The countdown stands beside the slots, because a box for a streak alone has no further line.
  const row = { ...box, width: box.width - COUNTDOWN };
  pips(context, row, box.y + 26, view.probe_slots, slots, palette.half_open, palette);
  const left = view.probes_reclaimed_in_seconds;
  if (left !== null) {
    label(context, '', `slots come back in ${duration(Number(left.toFixed(1)))}`, box, box.y + 26, palette);
  }
  label(context, 'successes in a row', `${view.consecutive_successes} of ${needed}`, box, box.y + 46, palette);
  if (box.height >= 70) {
    pips(context, box, box.y + 64, view.consecutive_successes, needed, palette.closed, palette);
  }
}

function drawClosed(
  context: CanvasRenderingContext2D,
  box: Box,
  view: CircuitView,
  config: ConfigDocument,
  palette: Palette,
): void {
  const threshold = fieldOf(config, 'failure_threshold') as number | null;
  const rates = [
    ['failed', view.window.failed, fieldOf(config, 'failure_rate_threshold'), palette.open],
    ['slow', view.window.slow, fieldOf(config, 'slow_call_rate_threshold'), palette.half_open],
  ].filter(([, , rate]) => typeof rate === 'number') as [string, number, number, string][];
  let y = box.y + 8;
  if (threshold !== null) {
    label(context, 'failures in a row', `${view.consecutive_failures} of ${threshold}`, box, y, palette);
    if (rates.length === 0) {
      pips(context, box, y + 18, view.consecutive_failures, threshold, palette.open, palette);
    }
    y += 17;
  }
  for (const [name, number, rate, tone] of rates) {
    drawRate(context, { ...box, y, height: 26 }, name, number, view.window.calls, rate, tone, config, palette);
    y += 26;
  }
  const rest = { ...box, y: y - 4, height: box.y + box.height - y + 4 };
  if (rates.length > 0 && rest.height > 10) {
    drawWindow(context, rest, view, config, palette);
  }
}

/** A share of the calls in the window, with its threshold as a line. Below the least number of calls it decides nothing. */
function drawRate(
  context: CanvasRenderingContext2D,
  box: Box,
  name: string,
  number: number,
  calls: number,
  rate: number,
  tone: string,
  config: ConfigDocument,
  palette: Palette,
): void {
  const least = Number(fieldOf(config, 'minimum_calls'));
  const isDecided = calls >= least;
  const share = number / Math.max(1, calls);
  const rest = isDecided ? ` = ${percent(share)}` : `, at least ${least} calls`;
  label(context, name, `${number} of ${calls}${rest}`, box, box.y, palette);
  const measure = { ...box, y: box.y + 9, height: 6 };
  bar(context, measure, share, isDecided ? tone : palette.line, palette);
  context.fillStyle = palette.ink;
  context.fillRect(measure.x + measure.width * rate - 1, measure.y - 3, 2, measure.height + 6);
}
