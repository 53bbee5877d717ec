/** One sentence for each configuration: why its circuit is in its state. */

import { make, write } from './dom.js';
import type { CircuitView } from './engine.js';
import type { Lab } from './lab.js';

export class Explanations {
  readonly element = make('div', { class: 'why' });

  /** Explains one circuit of each configuration: the first that is not closed, otherwise the first. */
  show(lab: Lab, views: (CircuitView | undefined)[]): void {
    const shown = lab.shown();
    const lanes = views.length / shown.length;
    shown.forEach(({ label }, at) => {
      const own = views.filter((_, index) => index % shown.length === at);
      const index = Math.max(
        0,
        own.findIndex((view) => view !== undefined && view.state !== 'closed'),
      );
      const view = own[index];
      const provider = lab.subject.scenario.providers[index]?.name ?? '';
      const who = [label, lanes > 1 ? provider : ''].filter(Boolean).join(', ');
      const text = `${who === '' ? '' : `${who}: `}${view?.explanation ?? 'no call yet'}`;
      const line = this.element.children[at] ?? this.element.appendChild(make('p'));
      write(line, `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
      (line as HTMLElement).dataset['state'] = view?.state ?? 'none';
    });
    while (this.element.children.length > shown.length) {
      this.element.lastElementChild?.remove();
    }
  }
}
