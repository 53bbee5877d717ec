/** The gate: the switch, and below it the evidence that decides: pips, cells, buckets, probe slots, the wait. */

import type { CircuitView, ConfigDocument, State } from './engine.js';
import { fieldOf } from './engine.js';
import { duration, percent } from './dom.js';
import type { Palette } from './palette.js';
import type { Places } from './particles.js';

const FONT = '12px system-ui, sans-serif';
/** The angle of the arm, in radians. */
const ANGLES: Record<State, number> = { closed: 0, half_open: 0.26, open: 0.6 };

/** Draws the rail with the switch. `arm` is the angle of its arm now. */
export function drawSwitch(context: CanvasRenderingContext2D, places: Places, arm: number, state: State | undefined, palette: Palette): void {
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
  const rates = ['failure_rate_threshold', 'slow_call_rate_threshold'].filter((name) => config !== null && fieldOf(config, name) !== null);
  const hasStreak = config !== null && fieldOf(config, 'failure_threshold') !== null;
  return rates.length === 0 ? 66 : Math.max(86, 16 + (hasStreak ? 17 : 0) + 26 * rates.length + 36);
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
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

function drawWait(context: CanvasRenderingContext2D, box: Box, view: CircuitView, wait: number | undefined, palette: Palette): void {
  const left = view.retry_after_seconds ?? 0;
  label(context, 'next probe in', duration(Number(left.toFixed(1))), box, box.y + 8, palette);
  bar(context, { ...box, y: box.y + 22, height: 8 }, wait === undefined ? 1 : left / wait, palette.open, palette);
}

function drawProbes(context: CanvasRenderingContext2D, box: Box, view: CircuitView, config: ConfigDocument, palette: Palette): void {
  const slots = Number(fieldOf(config, 'half_open_max_calls'));
  const needed = Number(fieldOf(config, 'success_threshold'));
  label(context, 'probes under way', `${view.probe_slots} of ${slots}`, box, box.y + 8, palette);
  pips(context, box, box.y + 26, view.probe_slots, slots, palette.half_open, palette);
  label(context, 'successes in a row', `${view.consecutive_successes} of ${needed}`, box, box.y + 46, palette);
  if (box.height >= 70) {
    const left = view.probes_reclaimed_in_seconds;
    if (left !== null) {
      label(context, 'slots come back in', duration(Number(left.toFixed(1))), box, box.y + 64, palette);
    } else {
      pips(context, box, box.y + 64, view.consecutive_successes, needed, palette.closed, palette);
    }
  }
}

function drawClosed(context: CanvasRenderingContext2D, box: Box, view: CircuitView, config: ConfigDocument, palette: Palette): void {
  const threshold = fieldOf(config, 'failure_threshold') as number | null;
  const rates = [
    ['failed', view.window.failed, fieldOf(config, 'failure_rate_threshold')],
    ['slow', view.window.slow, fieldOf(config, 'slow_call_rate_threshold')],
  ].filter(([, , rate]) => typeof rate === 'number') as [string, number, number][];
  let y = box.y + 8;
  if (threshold !== null) {
    label(context, 'failures in a row', `${view.consecutive_failures} of ${threshold}`, box, y, palette);
    if (rates.length === 0) {
      pips(context, box, y + 18, view.consecutive_failures, threshold, palette.open, palette);
    }
    y += rates.length === 0 ? 36 : 17;
  }
  const least = Number(fieldOf(config, 'minimum_calls'));
  for (const [name, number, rate] of rates) {
    const { calls } = view.window;
    const text = calls < least ? `${number} of ${calls}, at least ${least} calls` : `${number} of ${calls} = ${percent(number / calls)}`;
    label(context, name, text, box, y, palette);
    const measure = { ...box, y: y + 9, height: 6 };
    bar(context, measure, calls === 0 ? 0 : number / calls, calls < least ? palette.line : name === 'slow' ? palette.half_open : palette.open, palette);
    context.fillStyle = palette.ink;
    context.fillRect(measure.x + measure.width * rate - 1, measure.y - 3, 2, measure.height + 6);
    y += 26;
  }
  const rest = { ...box, y: y - 4, height: box.y + box.height - y + 4 };
  if (rates.length > 0 && rest.height > 10) {
    drawWindow(context, rest, view, config, palette);
  }
}

/** The window as what it is: a cell for each call, or ten buckets. */
function drawWindow(context: CanvasRenderingContext2D, box: Box, view: CircuitView, config: ConfigDocument, palette: Palette): void {
  const { cells, buckets } = view.window;
  if (buckets.length > 0) {
    const width = box.width / buckets.length;
    const most = Math.max(1, ...buckets.map(([calls]) => calls));
    buckets.forEach(([calls, failed, slow], age) => {
      const x = box.x + box.width - (age + 1) * width;
      const heightOf = (number: number) => (box.height * number) / most;
      context.fillStyle = palette.well;
      context.fillRect(x + 1, box.y, width - 2, box.height);
      context.fillStyle = palette.closed;
      context.fillRect(x + 1, box.y + box.height - heightOf(calls), width - 2, heightOf(calls));
      context.fillStyle = palette.half_open;
      context.fillRect(x + 1, box.y + box.height - heightOf(slow), (width - 2) / 2, heightOf(slow));
      context.fillStyle = palette.open;
      context.fillRect(x + 1, box.y + box.height - heightOf(failed), width - 2, heightOf(failed));
    });
    return;
  }
  const size = Number((fieldOf(config, 'window') as { calls?: number }).calls ?? 0);
  const columns = Math.max(10, Math.min(size, Math.floor(box.width / 7)));
  const rows = Math.ceil(size / columns);
  const [width, height] = [box.width / columns, Math.min(9, box.height / rows)];
  if (height < 2) {
    return;
  }
  for (let index = 0; index < size; index++) {
    const [x, y] = [box.x + (index % columns) * width, box.y + Math.floor(index / columns) * height];
    const cell = cells[index];
    context.fillStyle = cell === undefined ? palette.well : cell === '.' ? palette.closed : cell === 's' ? palette.half_open : palette.open;
    context.fillRect(x + 0.5, y + 0.5, width - 1.5, height - 1.5);
    if (cell === 'f' || cell === 'b') {
      context.fillStyle = palette.card;
      context.fillRect(x + width / 2 - 1.5, y + 1.5, 1.5, height - 3.5);
    }
  }
}

/** A text at the left, its number at the right. */
function label(context: CanvasRenderingContext2D, text: string, number: string, box: Box, y: number, palette: Palette): void {
  context.fillStyle = palette.soft;
  context.textAlign = 'left';
  context.fillText(text, box.x, y);
  context.fillStyle = palette.ink;
  context.textAlign = 'right';
  context.fillText(number, box.x + box.width, y);
}

function bar(context: CanvasRenderingContext2D, box: Box, share: number, tone: string, palette: Palette): void {
  context.fillStyle = palette.well;
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, box.height / 2);
  context.fill();
  const width = box.width * Math.min(1, Math.max(0, share));
  if (width > 0) {
    context.fillStyle = tone;
    context.beginPath();
    context.roundRect(box.x, box.y, Math.max(width, box.height), box.height, box.height / 2);
    context.fill();
  }
}

/** Rings, as many filled as there are; a bar where they would be too many. */
function pips(context: CanvasRenderingContext2D, box: Box, y: number, filled: number, total: number, tone: string, palette: Palette): void {
  const distance = Math.min(18, box.width / total);
  if (distance < 8) {
    bar(context, { ...box, y: y - 4, height: 8 }, filled / total, tone, palette);
    return;
  }
  for (let index = 0; index < total; index++) {
    context.beginPath();
    context.arc(box.x + 6 + index * distance, y, Math.min(5, distance / 2 - 1.5), 0, Math.PI * 2);
    context.lineWidth = 1.5;
    context.strokeStyle = index < filled ? tone : palette.soft;
    context.fillStyle = tone;
    if (index < filled) {
      context.fill();
    }
    context.stroke();
  }
}

function line(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}
