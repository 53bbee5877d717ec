/** The built page in a browser. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch, withServer } from '../../../tests/js/browser/chromium.mjs';

export const simulator = join(dirname(fileURLToPath(import.meta.url)), '..');
export const built = join(simulator, '../../target/simulator');
export const documentOf = (name) => JSON.parse(readFileSync(join(simulator, name), 'utf8'));

/** The fragment of a link that holds this. */
export const fragmentOf = (held) => `#1.${Buffer.from(JSON.stringify(held)).toString('base64url')}`;

/** Pages are served from a subfolder, as from a project's pages. */
const FOLDER = '/guide/simulator/';

/** The simulator on a page, by what a reader sees. */
export class Reader {
  constructor(page) {
    this.page = page;
    this.playhead = page.getByRole('slider', { name: 'Time', exact: true });
    this.score = page.getByRole('table', { name: 'Score' });
    this.why = page.locator('.why p');
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async choose(id) {
    await this.page.getByLabel('Scenario', { exact: true }).first().selectOption(id);
  }

  /** Opens a log: a file by its path, or a text by a name. */
  async chooseLog(log) {
    const file =
      typeof log === 'string' ? log : { name: log.name, mimeType: 'text/plain', buffer: Buffer.from(log.text) };
    await this.page.locator('input[type=file]').setInputFiles(file);
  }

  async pause() {
    if (await this.button('Pause').isVisible()) {
      await this.button('Pause').click();
    }
  }

  /** Moves the playhead. */
  async seek(time) {
    await this.playhead.evaluate((element, to) => {
      element.value = String(to);
      element.dispatchEvent(new Event('input', { bubbles: true }));
      // It is drawn in the next frame.
      return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    }, time);
  }

  /** A row of the score without its title. */
  row(title) {
    return this.score
      .getByRole('row', { name: new RegExp(`^${title}`) })
      .locator('td')
      .allTextContents();
  }

  /** The reports that the page copies. */
  async copiedReports() {
    if (await this.button('Copy the reports as JSON').isHidden()) {
      await this.page.getByText('The same as tables').click();
    }
    await this.page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => {
        globalThis.copied = text;
      };
    });
    await this.button('Copy the reports as JSON').click();
    await this.page.getByText('Copied.').waitFor();
    return JSON.parse(await this.page.evaluate(() => globalThis.copied));
  }

  /** The whole reports of all runs, with their series as sums as in `tests/rust/src/simulations.rs`. */
  async reports() {
    const reports = await this.copiedReports();
    const ends = ['answered', 'failed', 'refused', 'not_closed'];
    const digest = ({ series, ...report }) => ({
      ...report,
      series: ends.map((end) => series.reduce((sum, point, index) => sum + (index + 1) * point[end], 0)),
      latencies: series.reduce((sum, point) => sum + point.latency_seconds, 0),
    });
    return Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, digest(report)]));
  }

  /** Seeks, and tells what is drawn on the stage then: paths and discs with their colours, and texts. */
  async drawn(time) {
    await this.page.evaluate(() => {
      const { prototype } = CanvasRenderingContext2D;
      globalThis.original ??= Object.fromEntries(
        ['beginPath', 'clearRect', 'lineTo', 'arc', 'fill', 'stroke', 'fillText'].map((name) => [
          name,
          prototype[name],
        ]),
      );
      const isStage = ({ canvas }) => canvas.closest('.rail') !== null;
      const watch = (name, complaints) => {
        prototype[name] = function (...values) {
          if (isStage(this)) {
            complaints(this, ...values);
          }
          return globalThis.original[name].apply(this, values);
        };
      };
      let open = { points: [], disc: undefined };
      const { drawn } = Object.assign(globalThis, { drawn: { paths: [], discs: [], texts: [] } });
      watch('clearRect', () => Object.assign(drawn, { paths: [], discs: [], texts: [] }));
      watch('beginPath', () => {
        open = { points: [], disc: undefined };
      });
      watch('lineTo', (_, x, y) => open.points.push([x, y]));
      watch('arc', (_, x, y, radius) => {
        open.disc = { x, y, radius, fill: undefined };
        drawn.discs.push(open.disc);
      });
      watch('fill', ({ fillStyle }) => {
        if (open.disc !== undefined) {
          open.disc.fill = fillStyle;
        }
      });
      watch('stroke', ({ strokeStyle }) => drawn.paths.push({ colour: strokeStyle, points: open.points }));
      watch('fillText', (_, text) => drawn.texts.push(text));
    });
    await this.seek(time);
    return this.page.evaluate(() => globalThis.drawn);
  }

  /** The pixels of the stage, as a text. */
  picture() {
    return this.page.evaluate(() => {
      const { shadowRoot } = document.querySelector('halfopen-sim');
      return [...shadowRoot.querySelectorAll('.rail canvas, .ribbon')].map((canvas) => canvas.toDataURL()).join();
    });
  }
}

let browser;

/** Closes the browser after the last test. */
export async function closeBrowser() {
  await browser?.close();
}

/**
 * Opens the page, and runs `work(reader, page, origin)`. The page must write nothing to its console and ask no other host.
 */
export async function reading(
  work,
  { width = 1280, height = 1000, motion = 'no-preference', colors = 'light', fragment = '', file = '' } = {},
) {
  browser ??= await launch();
  await withServer(
    (path) => join(built, path.slice(FOLDER.length) || 'index.html'),
    async (origin) => {
      const context = await browser.newContext({
        viewport: { width, height },
        reducedMotion: motion,
        colorScheme: colors,
      });
      try {
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        const complaints = [];
        page.on('console', (message) => complaints.push(message.text()));
        page.on('pageerror', (error) => complaints.push(String(error)));
        page.on('request', (request) => {
          if (!request.url().startsWith(origin) && !/^(data|blob|file):/.test(request.url())) {
            complaints.push(`asked ${request.url()}`);
          }
        });
        await page.goto(file || `${origin}${FOLDER}${fragment}`);
        await page.locator('.stage canvas').first().waitFor();
        await work(new Reader(page), page, `${origin}${FOLDER}`);
        if (complaints.length > 0) {
          throw new Error(`The page complaints: ${complaints.join('\n')}`);
        }
      } finally {
        await context.close();
      }
    },
  );
}
