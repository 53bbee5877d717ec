/** The configuration as code, to be copied. */

import { make, write } from './dom.js';
import type { ConfigDocument } from './engine.js';
import { LANGUAGES, type Language, snippet } from './snippets.js';

export class CopyDialog {
  readonly element: HTMLDialogElement;
  readonly #code = make('code');
  readonly #status = make('span', { class: 'soft', role: 'status' });
  readonly #title = make('h2');
  readonly #tabs: HTMLButtonElement[];
  #language: Language = 'Python';
  #config: ConfigDocument = {};

  constructor() {
    this.#tabs = LANGUAGES.map((language) =>
      make('button', { type: 'button', class: 'small', onclick: () => this.#choose(language) }, language),
    );
    const copy = make('button', { type: 'button', class: 'primary', onclick: () => this.#copy() }, 'Copy');
    const close = make('button', { type: 'button', onclick: () => this.element.close() }, 'Close');
    const code = make('pre', { tabindex: 0 }, this.#code);
    this.element = make(
      'dialog',
      { 'aria-label': 'Configuration as code' },
      this.#title,
      make('div', { class: 'row', role: 'group', 'aria-label': 'Language' }, ...this.#tabs),
      code,
      make('div', { class: 'row' }, copy, close, this.#status),
    );
  }

  open(name: string, config: ConfigDocument): void {
    this.#config = config;
    write(this.#title, `Configuration ${name}`);
    write(this.#status, '');
    this.#choose(this.#language);
    this.element.showModal();
  }

  #choose(language: Language): void {
    this.#language = language;
    for (const [index, tab] of this.#tabs.entries()) {
      tab.setAttribute('aria-pressed', String(LANGUAGES[index] === language));
    }
    write(this.#code, snippet(language, this.#config));
    write(this.#status, '');
  }

  async #copy(): Promise<void> {
    write(this.#status, await copied(this.#code.textContent ?? ''));
  }
}

/** A button that copies a text and shows the result beside it. */
export function copyButton(title: string, text: () => string): HTMLElement {
  const outcome = make('span', { class: 'soft', role: 'status' });
  const copy = make('button', { type: 'button', class: 'small' }, title);
  copy.addEventListener('click', async () => write(outcome, await copied(text())));
  return make('span', { class: 'copying' }, copy, outcome);
}

/** Copies a text; returns what to tell the reader. */
export async function copied(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return 'Copied.';
  } catch {
    return 'This browser does not allow copying here: select the text and copy it.';
  }
}
