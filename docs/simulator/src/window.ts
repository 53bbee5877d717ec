/** The window: a cell for each of the last calls, or ten buckets of the last seconds. */

import type { Box } from './drawing.js';
import { type CircuitView, type ConfigDocument, fieldOf } from './engine.js';
import type { Palette } from './palette.js';

/** The largest width and height of a cell, and the height below which cells are not drawn. */
const [WIDTH, HEIGHT, LEAST_HEIGHT] = [7, 9, 2];

export function drawWindow(
  context: CanvasRenderingContext2D,
  box: Box,
  { window: { cells, buckets } }: CircuitView,
  config: ConfigDocument,
  palette: Palette,
): void {
  if (buckets.length > 0) {
    drawBuckets(context, box, buckets, palette);
  } else {
    const { calls: size = 0 } = fieldOf(config, 'window') as { calls?: number };
    drawCells(context, box, cells, size, palette);
  }
}

/** The newest bucket is at the right. */
function drawBuckets(
  context: CanvasRenderingContext2D,
  box: Box,
  buckets: [number, number, number][],
  palette: Palette,
): void {
  const width = box.width / buckets.length;
  const most = Math.max(1, ...buckets.map(([calls]) => calls));
  for (const [age, [calls, failed, slow]] of buckets.entries()) {
    const x = box.x + box.width - (age + 1) * width;
    const column = (height: number, wide: number, tone: string) => {
      context.fillStyle = tone;
      context.fillRect(x + 1, box.y + box.height - height, wide, height);
    };
    const heightOf = (number: number) => (box.height * number) / most;
    column(box.height, width - 2, palette.well);
    column(heightOf(calls), width - 2, palette.closed);
    column(heightOf(slow), (width - 2) / 2, palette.half_open);
    column(heightOf(failed), width - 2, palette.open);
  }
}

/** The oldest call is at the top left. A failed one has a notch. */
function drawCells(context: CanvasRenderingContext2D, box: Box, cells: string, size: number, palette: Palette): void {
  const tones: Record<string, string> = { '.': palette.closed, s: palette.half_open, f: palette.open, b: palette.open };
  const columns = Math.max(10, Math.min(size, Math.floor(box.width / WIDTH)));
  const [width, height] = [box.width / columns, Math.min(HEIGHT, box.height / Math.ceil(size / columns))];
  if (height < LEAST_HEIGHT) {
    return;
  }
  for (let index = 0; index < size; index++) {
    const [x, y] = [box.x + (index % columns) * width, box.y + Math.floor(index / columns) * height];
    const tone = tones[cells[index] ?? ''];
    context.fillStyle = tone ?? palette.well;
    context.fillRect(x + 0.5, y + 0.5, width - 1.5, height - 1.5);
    if (tone === palette.open) {
      context.fillStyle = palette.card;
      context.fillRect(x + width / 2 - 1.5, y + 1.5, 1.5, height - 3.5);
    }
  }
}
