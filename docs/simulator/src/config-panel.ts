/** Every field of a configuration as a knob, with the core's own messages. */

import { make } from './dom.js';
import { type ConfigDocument, checkConfig, configFields, type FieldSchema, fieldOf, isRefusal } from './engine.js';
import { choiceKnob, type Knob, numberKnob, switchKnob, textKnob } from './knob.js';
import { FIELD_GROUPS, type KnobText } from './texts.js';

export class ConfigPanel {
  readonly element = make('div', { class: 'panel' });
  readonly #onChange: (config: ConfigDocument) => void;
  readonly #only: readonly string[] | undefined;
  /** Also holds values that are refused. */
  #draft: ConfigDocument = {};
  #knobs = new Map<string, Knob>();

  /** `only` names the fields to show; without it all are shown. */
  constructor(onChange: (config: ConfigDocument) => void, only?: readonly string[]) {
    this.#onChange = onChange;
    this.#only = only;
  }

  show(config: ConfigDocument): void {
    this.#draft = { ...config };
    this.#knobs = new Map();
    const groups = FIELD_GROUPS.flatMap(([title, fields]) => {
      const shown = Object.entries(fields).filter(([name]) => this.#only?.includes(name) ?? true);
      return shown.length === 0 ? [] : [this.#group(title, shown)];
    });
    this.element.replaceChildren(...groups);
  }

  #group(title: string, fields: [string, KnobText][]): HTMLElement {
    const knobs = fields.flatMap(([name, text]) => this.#field(name, text));
    if (title === 'Rarely changed') {
      return make('details', { class: 'group' }, make('summary', {}, title), ...knobs);
    }
    return make('fieldset', { class: 'group' }, make('legend', {}, title), ...knobs);
  }

  #field(name: string, text: KnobText): HTMLElement[] {
    const schema = configFields()[name] as FieldSchema;
    const hint = schema.description;
    const value = fieldOf(this.#draft, name);
    const set = (to: unknown) => this.#set(name, to);
    if (name === 'window') {
      return this.#window(value as Record<string, number>, hint);
    }
    let knob: Knob;
    if (schema.type === 'boolean') {
      knob = switchKnob(text.label, hint, value === true, set);
    } else if (schema.type === 'string') {
      knob = textKnob(text.label, hint, String(value), set);
    } else {
      const { label, unit, range, step } = text;
      const isNullable = schema.anyOf?.some(({ type }) => type === 'null') ?? false;
      knob = numberKnob({
        label,
        unit,
        hint,
        value,
        range,
        step,
        initial: isNullable ? text.initial : undefined,
        none: text.none,
        onChange: set,
      });
    }
    return this.#kept(name, knob);
  }

  /** The last calls, or the last seconds. */
  #window(value: Record<string, number>, hint: string): HTMLElement[] {
    const kind = 'calls' in value ? 'calls' : 'seconds';
    const options: [string, string][] = [
      ['calls', 'the last calls'],
      ['seconds', 'the last seconds'],
    ];
    const choice = choiceKnob('Window', hint, kind, options, (next) => {
      this.#set('window', { [next]: next === 'calls' ? 100 : 10 });
      this.show(this.#draft);
      this.element.querySelector<HTMLElement>('[data-field=window] select')?.focus();
    });
    const size = numberKnob({
      label: 'Its length',
      unit: kind === 'calls' ? 'calls' : 's',
      hint,
      value: value[kind],
      range: kind === 'calls' ? [1, 500] : [1, 120],
      step: 1,
      onChange: (next) => this.#set('window', { [kind]: next }),
    });
    choice.element.dataset['field'] = 'window';
    return [choice.element, ...this.#kept('window', size)];
  }

  #kept(name: string, knob: Knob): HTMLElement[] {
    this.#knobs.set(name, knob);
    knob.element.dataset['field'] ??= name;
    return [knob.element];
  }

  #set(name: string, value: unknown): void {
    this.#draft = { ...this.#draft, [name]: value };
    for (const knob of this.#knobs.values()) {
      knob.fail('');
    }
    try {
      checkConfig(JSON.stringify(this.#draft));
    } catch (error) {
      if (!isRefusal(error)) {
        throw error;
      }
      (this.#knobs.get(error.field) ?? this.#knobs.get(name))?.fail(error.message);
      return;
    }
    this.#onChange({ ...this.#draft });
  }
}
