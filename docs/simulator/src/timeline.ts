/** The timeline: faults to drag, the ribbon of states with their causes, and the playhead. */

import { clock, make } from './dom.js';
import type { Fault, State } from './engine.js';
import { type Palette, Surface } from './palette.js';
import type { Span } from './played.js';
import { CAUSES, faultText, STATES } from './texts.js';

export interface Row {
  label: string;
  spans: Span[];
}

/** The left margin of everything that has this time axis. */
export const GUTTER = 64;
export const RIGHT = 16;
const ROW = 26;

export interface TimelineEvents {
  onSeek(time: number): void;
  /** A fault was moved; `isDone` after the last change of one drag. */
  onFault(index: number, from: number, to: number, isDone: boolean): void;
}

export class Timeline {
  readonly element: HTMLElement;
  readonly #faults = make('div', { class: 'faults' });
  readonly #surface: Surface;
  readonly #slider: HTMLInputElement;
  readonly #events: TimelineEvents;
  #rows: Row[] = [];
  #seconds = 1;
  #shownFaults = '';

  constructor(events: TimelineEvents) {
    this.#events = events;
    const canvas = make('canvas', { class: 'ribbon', 'aria-hidden': 'true' });
    this.#surface = new Surface(canvas);
    this.#slider = make('input', { type: 'range', class: 'scrub', min: 0, step: 'any', 'aria-label': 'Time' });
    this.#slider.addEventListener('input', () => events.onSeek(Number(this.#slider.value)));
    this.#slider.addEventListener('keydown', (event) => this.#step(event));
    this.element = make(
      'div',
      { class: 'timeline' },
      this.#faults,
      make('div', { class: 'rows' }, canvas, this.#slider),
    );
  }

  show(rows: Row[], faults: Fault[], seconds: number): void {
    this.#rows = rows;
    this.#seconds = seconds;
    this.#slider.max = String(seconds);
    this.element.style.setProperty('--rows', String(rows.length));
    const key = JSON.stringify([faults, seconds]);
    if (key !== this.#shownFaults) {
      this.#shownFaults = key;
      this.#showFaults(faults);
    }
  }

  draw(time: number, palette: Palette): void {
    this.#slider.value = String(time);
    const text = clock(time);
    if (this.#slider.getAttribute('aria-valuetext') !== text) {
      this.#slider.setAttribute('aria-valuetext', text);
    }
    const context = this.#surface.begin();
    const { width } = this.#surface;
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    for (const [index, row] of this.#rows.entries()) {
      drawRow(context, row, index * ROW, width, this.#seconds, palette);
    }
  }

  /** Arrow keys move by a second, with Shift by ten; page keys by a tenth of the run. */
  #step(event: KeyboardEvent): void {
    const steps: Record<string, number> = {
      ArrowLeft: event.shiftKey ? -10 : -1,
      ArrowRight: event.shiftKey ? 10 : 1,
      PageDown: -this.#seconds / 10,
      PageUp: this.#seconds / 10,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const time = Math.min(this.#seconds, Math.max(0, Number(this.#slider.value) + step));
      this.#events.onSeek(time);
    }
  }

  #showFaults(faults: Fault[]): void {
    const focused = this.#faults.querySelector(':focus');
    const place = focused === null ? -1 : [...this.#faults.querySelectorAll('[tabindex]')].indexOf(focused);
    this.#faults.replaceChildren(...faults.map((fault, index) => this.#block(fault, index)));
    (this.#faults.querySelectorAll('[tabindex]')[place] as HTMLElement | undefined)?.focus();
  }

  #block(fault: Fault, index: number): HTMLElement {
    const text = make('span', { class: 'fault-text' }, `${fault.provider}: ${faultText(fault)}`);
    const block = make('div', { class: 'fault', title: 'Drag the fault, or its ends' });
    const place = (from: number, to: number) => {
      block.style.left = `${(100 * from) / this.#seconds}%`;
      block.style.width = `${(100 * (to - from)) / this.#seconds}%`;
    };
    place(fault.from_seconds, Math.min(fault.to_seconds, this.#seconds));
    const handle = (name: string, value: number, moved: (by: number) => [number, number]) => {
      const element = make('span', {
        class: `handle ${name}`,
        role: 'slider',
        tabindex: 0,
        'aria-label': `${fault.provider} ${faultText(fault)}: ${name === 'begin' ? 'begins' : 'ends'}`,
        'aria-valuemin': 0,
        'aria-valuemax': this.#seconds,
        'aria-valuenow': value,
        'aria-valuetext': clock(value),
      });
      element.addEventListener('keydown', (event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (by !== undefined) {
          event.preventDefault();
          this.#events.onFault(index, ...moved(by), true);
        }
      });
      return element;
    };
    const { from_seconds: from, to_seconds: to } = fault;
    const bounded = (time: number) => Math.round(Math.min(this.#seconds, Math.max(0, time)) * 10) / 10;
    const moves: Record<string, (by: number) => [number, number]> = {
      begin: (by) => [Math.min(bounded(from + by), to), to],
      end: (by) => [from, Math.max(bounded(to + by), from)],
      whole: (by) => {
        const start = Math.min(Math.max(0, bounded(from + by)), Math.max(0, this.#seconds - (to - from)));
        return [start, start + to - from];
      },
    };
    const begin = handle('begin', from, moves['begin'] as never);
    const end = handle('end', to, moves['end'] as never);
    block.append(begin, text, end);
    block.addEventListener('pointerdown', (event) => {
      const kind = event.target === begin ? 'begin' : event.target === end ? 'end' : 'whole';
      const perPixel = this.#seconds / this.#faults.clientWidth;
      const moved = (at: PointerEvent) =>
        (moves[kind] as (by: number) => [number, number])((at.clientX - event.clientX) * perPixel);
      block.setPointerCapture(event.pointerId);
      block.onpointermove = (at) => place(...moved(at));
      block.onpointerup = (at) => {
        block.onpointermove = null;
        block.onpointerup = null;
        this.#events.onFault(index, ...moved(at), true);
      };
    });
    return block;
  }
}

function drawRow(
  context: CanvasRenderingContext2D,
  row: Row,
  y: number,
  width: number,
  seconds: number,
  palette: Palette,
): void {
  context.textAlign = 'left';
  context.fillStyle = palette.soft;
  context.fillText(row.label, 0, y + ROW / 2, GUTTER - 6);
  const area = width - GUTTER - RIGHT;
  let freeFrom = -1;
  for (const { from, to, state, cause } of row.spans) {
    const x = GUTTER + (area * from) / seconds;
    const length = Math.max(1, (area * (to - from)) / seconds);
    fill(context, x, y + 3, length, ROW - 6, state, palette);
    const text = state === 'closed' && cause === '' ? '' : `${STATES[state]}: ${CAUSES[cause] ?? cause}`;
    const short = STATES[state] ?? state;
    const fits = [text, short].find((it) => it !== '' && context.measureText(it).width + 14 < length && x > freeFrom);
    if (fits !== undefined) {
      const wide = context.measureText(fits).width;
      context.fillStyle = palette.card;
      context.fillRect(x + 4, y + 6, wide + 8, ROW - 12);
      context.fillStyle = palette[state];
      context.fillText(fits, x + 8, y + ROW / 2 + 0.5);
      freeFrom = x + wide;
    }
  }
}

/** Closed is a line, open is hatched, half-open is dotted: the shapes say the same as the colours. */
function fill(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  state: State,
  palette: Palette,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.fillStyle = palette[state];
  context.strokeStyle = palette[state];
  if (state === 'closed') {
    context.fillRect(x, y + height / 2 - 1.5, width, 3);
  } else {
    context.globalAlpha = 0.22;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.fillRect(x, y, Math.min(2, width), height);
    if (state === 'open') {
      context.globalAlpha = 0.55;
      context.lineWidth = 1.5;
      for (let at = x - (x % 7) - height; at < x + width; at += 7) {
        context.beginPath();
        context.moveTo(at, y + height);
        context.lineTo(at + height, y);
        context.stroke();
      }
    } else {
      for (let at = x + 4; at < x + width; at += 6) {
        context.fillRect(at, y + height / 2 - 1, 2, 2);
      }
    }
  }
  context.restore();
}
