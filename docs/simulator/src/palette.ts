/** The colours of the tokens as the canvas needs them. */

export const TOKENS = ['card', 'line', 'ink', 'soft', 'well', 'closed', 'half_open', 'open', 'refused'] as const;
export type Palette = Record<(typeof TOKENS)[number], string>;

/** Reads the tokens in force at an element. */
export function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement('i');
  element.append(probe);
  const entries = TOKENS.map((token) => {
    probe.style.color = `var(--${token})`;
    return [token, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries) as Palette;
}

/** A canvas at the resolution of the screen. */
export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d') as CanvasRenderingContext2D;
  }

  /** Clears it, in the size that it has on the page. */
  begin(): CanvasRenderingContext2D {
    const { clientWidth, clientHeight } = this.canvas;
    const scale = devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.width = clientWidth;
    this.height = clientHeight;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, clientWidth, clientHeight);
    return this.context;
  }
}
