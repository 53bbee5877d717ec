/** Time: play, pause, step, speed. */

import { clock, make, write } from './dom.js';

const [SLOWEST, FASTEST] = [0.1, 1000];
const POSITIONS = 400;

export class Transport {
  readonly element: HTMLElement;
  readonly #onSeek: (time: number) => void;
  readonly #play = make('button', { type: 'button', class: 'primary play' });
  readonly #clock = make('output', { class: 'clock', 'aria-label': 'Time', 'aria-live': 'off' });
  readonly #speedText = make('span', { class: 'speed' });
  readonly #slider = make('input', { type: 'range', min: 0, max: POSITIONS, 'aria-label': 'Speed' });
  seconds = 1;
  time = 0;
  speed = 1;
  isPlaying = false;

  constructor(onSeek: (time: number) => void, onStep: () => void) {
    this.#onSeek = onSeek;
    this.#play.addEventListener('click', () => this.toggle());
    this.#slider.addEventListener('input', () => {
      this.setSpeed(tidy(SLOWEST * (FASTEST / SLOWEST) ** (Number(this.#slider.value) / POSITIONS)));
    });
    const restart = make(
      'button',
      { type: 'button', onclick: () => onSeek(0), 'aria-label': 'To the beginning', title: 'To the beginning' },
      icon('M2 2h2v12H2zM14 2v12L5 8z'),
    );
    const step = make(
      'button',
      {
        type: 'button',
        onclick: onStep,
        'aria-label': 'To the next change of state',
        title: 'To the next change of state',
      },
      icon('M2 2v12l9-6zM12 2h2v12h-2z'),
    );
    const speed = make('label', { class: 'speed-label' }, 'Speed', this.#slider, this.#speedText);
    this.element = make(
      'div',
      { class: 'transport', role: 'group', 'aria-label': 'Time' },
      restart,
      this.#play,
      step,
      this.#clock,
      speed,
    );
    this.#drawButton();
  }

  toggle(isPlaying = !this.isPlaying): void {
    if (isPlaying && this.time >= this.seconds) {
      this.#onSeek(0);
    }
    this.isPlaying = isPlaying;
    this.#drawButton();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.#slider.value = String(Math.round((POSITIONS * Math.log(speed / SLOWEST)) / Math.log(FASTEST / SLOWEST)));
    write(this.#speedText, `${speed}×`);
    this.#slider.setAttribute('aria-valuetext', `${speed} times`);
  }

  /** Moves the time, at most to the end, where playing stops. */
  moveTo(time: number): void {
    this.time = Math.min(this.seconds, Math.max(0, time));
    if (this.time >= this.seconds && this.isPlaying) {
      this.toggle(false);
    }
    write(this.#clock, `${clock(this.time)} / ${clock(this.seconds)}`);
  }

  #drawButton(): void {
    const drawing = icon(this.isPlaying ? 'M3 2h4v12H3zM9 2h4v12H9z' : 'M3 1.5v13L14 8z');
    this.#play.replaceChildren(drawing, this.isPlaying ? ' Pause' : ' Play');
  }
}

/** A drawing of 16 × 16 from its path. */
function icon(path: string): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const drawing = document.createElementNS(space, 'svg');
  drawing.setAttribute('viewBox', '0 0 16 16');
  drawing.setAttribute('class', 'icon');
  drawing.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(space, 'path');
  shape.setAttribute('d', path);
  drawing.append(shape);
  return drawing;
}

/** The nearest of 1, 1.5, 2, 3, 5 and 7, each times a power of ten. */
function tidy(speed: number): number {
  const power = 10 ** Math.floor(Math.log10(speed) + 1e-9);
  const nearest = [1, 1.5, 2, 3, 5, 7, 10].reduce((best, step) =>
    Math.abs(step * power - speed) < Math.abs(best * power - speed) ? step : best,
  );
  return Number((nearest * power).toPrecision(2));
}
