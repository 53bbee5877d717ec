/** Shapes that the parts of the stage share. */

import type { Palette } from './palette.js';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A text at the left, its number at the right. */
export function label(
  context: CanvasRenderingContext2D,
  text: string,
  number: string,
  box: Box,
  y: number,
  palette: Palette,
): void {
  context.fillStyle = palette.soft;
  context.textAlign = 'left';
  context.fillText(text, box.x, y);
  context.fillStyle = palette.ink;
  context.textAlign = 'right';
  context.fillText(number, box.x + box.width, y);
}

export function bar(context: CanvasRenderingContext2D, box: Box, share: number, tone: string, palette: Palette): void {
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
export function pips(
  context: CanvasRenderingContext2D,
  box: Box,
  y: number,
  filled: number,
  total: number,
  tone: string,
  palette: Palette,
): void {
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

export function line(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}
