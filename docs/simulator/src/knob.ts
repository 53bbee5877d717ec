/** One knob: a number with a slider, a choice, a switch or a text. */

import { make } from './dom.js';

export interface Knob {
  element: HTMLElement;
  /** Shows the core's message, or none. */
  fail(message: string): void;
}

export interface NumberKnob {
  label: string;
  unit: string;
  /** Meaning and limits, shown while the knob is in use. */
  hint: string;
  value: unknown;
  /** The range of the slider; no slider without one. */
  range?: [number, number] | undefined;
  step?: number | undefined;
  /** A value to begin with; a knob that has one can be switched off. */
  initial?: number | undefined;
  /** The placeholder without a value; `off` by default. */
  none?: string | undefined;
  onChange(value: unknown): void;
}

/** Positions of a slider. */
const POSITIONS = 400;
let ids = 0;

/** The frame of every knob: label, hint, message. */
function framed(label: string, hint: string, ...parts: HTMLElement[]): Knob & { id: string; input: HTMLElement } {
  const id = `knob-${++ids}`;
  const input = parts[0] as HTMLElement;
  input.id = id;
  const hintLine = make('p', { class: 'hint', id: `${id}-hint` }, hint);
  const error = make('p', { class: 'error', id: `${id}-error`, role: 'alert' });
  input.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  const value = make('span', { class: 'value' }, ...parts);
  const element = make('div', { class: 'knob' }, make('label', { for: id }, label), value, hintLine, error);
  return {
    id,
    input,
    element,
    fail(message) {
      error.textContent = message;
      element.classList.toggle('bad', message !== '');
      input.setAttribute('aria-invalid', String(message !== ''));
    },
  };
}

export function numberKnob(knob: NumberKnob): Knob {
  const scale = knob.unit.includes('%') ? 100 : 1;
  const input = make('input', { type: 'text', inputmode: 'decimal', autocomplete: 'off', spellcheck: 'false' });
  const isOff = () => knob.initial !== undefined && toggle.getAttribute('aria-checked') !== 'true';
  const toggle = make('button', { type: 'button', class: 'toggle', role: 'switch', 'aria-label': `${knob.label}: on` });
  const [least, most] = knob.range ?? [0, 1];
  const isLog = least > 0 && most / least > 20;
  const valueAt = (position: number) => {
    const part = position / POSITIONS;
    const value = isLog ? least * (most / least) ** part : least + (most - least) * part;
    return rounded(value, knob.step);
  };
  const positionOf = (value: number) => {
    const part = isLog ? Math.log(value / least) / Math.log(most / least) : (value - least) / (most - least);
    return String(Math.round(POSITIONS * Math.min(1, Math.max(0, part))));
  };
  const slider = make('input', { type: 'range', min: 0, max: POSITIONS, 'aria-label': `${knob.label}, slider` });
  const set = (value: unknown) => {
    const isNumber = typeof value === 'number';
    toggle.setAttribute('aria-checked', String(value !== null && value !== undefined));
    input.value = isNumber ? String(Number((value * scale).toPrecision(6))) : String(value ?? '');
    input.disabled = isOff();
    slider.disabled = isOff();
    input.placeholder = isOff() ? (knob.none ?? 'off') : '';
    if (isNumber) {
      slider.value = positionOf(value);
      slider.setAttribute('aria-valuetext', `${input.value} ${knob.unit}`);
    }
  };
  input.addEventListener('input', () => {
    const text = input.value.trim().replace(',', '.');
    const value =
      text === '' || Number.isNaN(Number(text)) ? input.value : Number((Number(text) / scale).toPrecision(12));
    if (typeof value === 'number') {
      slider.value = positionOf(value);
    }
    knob.onChange(value);
  });
  slider.addEventListener('input', () => {
    const value = valueAt(Number(slider.value));
    set(value);
    knob.onChange(value);
  });
  toggle.addEventListener('click', () => {
    const value = isOff() ? (knob.initial ?? null) : null;
    set(value);
    knob.onChange(value);
  });
  const frame = framed(knob.label, knob.hint, input, make('span', { class: 'unit' }, knob.unit));
  if (knob.initial !== undefined) {
    frame.element.querySelector('.value')?.prepend(toggle);
  }
  if (knob.range !== undefined) {
    frame.element.querySelector('.value')?.after(slider);
  }
  set(knob.value);
  return frame;
}

export function choiceKnob(
  label: string,
  hint: string,
  value: string,
  options: readonly [string, string][],
  onChange: (value: string) => void,
): Knob {
  const select = make(
    'select',
    {},
    ...options.map(([name, text]) => make('option', { value: name, selected: name === value }, text)),
  );
  select.addEventListener('change', () => onChange(select.value));
  return framed(label, hint, select);
}

export function switchKnob(label: string, hint: string, value: boolean, onChange: (value: boolean) => void): Knob {
  const toggle = make('button', {
    type: 'button',
    class: 'toggle',
    role: 'switch',
    'aria-checked': value,
    'aria-label': label,
  });
  toggle.setAttribute('aria-checked', String(value));
  toggle.addEventListener('click', () => {
    const next = toggle.getAttribute('aria-checked') !== 'true';
    toggle.setAttribute('aria-checked', String(next));
    onChange(next);
  });
  return framed(label, hint, toggle);
}

export function textKnob(label: string, hint: string, value: string, onChange: (value: string) => void): Knob {
  const input = make('input', { type: 'text', class: 'wide', autocomplete: 'off', spellcheck: 'false' });
  input.value = value;
  input.addEventListener('input', () => onChange(input.value));
  return framed(label, hint, input);
}

/** Three significant digits, or whole steps. */
function rounded(value: number, step: number | undefined): number {
  return step === undefined ? Number(value.toPrecision(value < 1 ? 2 : 3)) : Math.round(value / step) * step;
}
