import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { closeBrowser, documentOf, reading, simulator } from './stage.mjs';

after(closeBrowser);

/** Plays with many calls in view, and returns the times of the frames in milliseconds. */
const frames = () =>
  new Promise((resolve) => {
    const times = [];
    const tick = (now) => {
      times.push(now);
      if (times.length > 240) {
        resolve(times);
      } else {
        requestAnimationFrame(tick);
      }
    };
    requestAnimationFrame(tick);
  });

/** How many calls are on their way in the next frame: each is a disc of this radius. */
const particles = () =>
  new Promise((resolve) => {
    const { arc } = CanvasRenderingContext2D.prototype;
    let discs = 0;
    CanvasRenderingContext2D.prototype.arc = function (x, y, radius, ...angles) {
      discs += radius === 3.5 ? 1 : 0;
      arc.call(this, x, y, radius, ...angles);
    };
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        CanvasRenderingContext2D.prototype.arc = arc;
        resolve(discs);
      }),
    );
  });

/** Simulated calls in a second. */
const simulate = async ([source, module, scenario, config]) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const { initSync, World } = await import(url);
  initSync({ module: Uint8Array.from(atob(module), (letter) => letter.charCodeAt(0)) });
  const world = World.read(scenario, undefined, false);
  const begin = performance.now();
  let calls = 0;
  while (performance.now() - begin < 2000) {
    const { requests, score } = JSON.parse(world.report(config));
    calls += requests * score.calls_per_request;
  }
  return (1000 * calls) / (performance.now() - begin);
};

test('60 frames a second with 500 particles', { timeout: 60_000 }, async () => {
  await reading(async (reader, page) => {
    await page.getByRole('tab', { name: 'Scenario' }).click();
    await page.getByRole('button', { name: 'Remove this fault' }).click();
    await page.getByLabel('Requests', { exact: true }).fill('30');
    await page.getByLabel('Timeout of a call', { exact: true }).fill('30');
    await page.getByLabel('Median', { exact: true }).fill('20');
    await page.getByLabel('Speed').evaluate((element) => {
      element.value = '100';
      element.dispatchEvent(new Event('input'));
    });
    await reader.seek(40);
    const times = await page.evaluate(frames);
    const drawn = await page.evaluate(particles);
    const gaps = times
      .slice(1)
      .map((time, index) => time - times[index])
      .sort((one, other) => one - other);
    const perSecond = (1000 * gaps.length) / (times.at(-1) - times[0]);
    console.log(
      `${drawn} particles: ${perSecond.toFixed(1)} frames a second, 99 % of the frames within ${gaps[Math.floor(gaps.length * 0.99)].toFixed(1)} ms`,
    );
    assert.ok(drawn >= 500, `${drawn} particles`);
    assert.ok(perSecond > 58, `${perSecond} frames a second`);
  });
});

test('200,000 simulated calls a second', { timeout: 60_000 }, async () => {
  await reading(async (_, page) => {
    const source = readFileSync(join(simulator, 'pkg/halfopen_sim_wasm.js'), 'utf8');
    const module = readFileSync(join(simulator, 'pkg/halfopen_sim_wasm_bg.wasm')).toString('base64');
    const [{ scenario, a }] = documentOf('scenarios.json');
    const perSecond = await page.evaluate(simulate, [source, module, JSON.stringify(scenario), JSON.stringify(a)]);
    console.log(`${Math.round(perSecond / 1000)} thousand simulated calls a second in the browser`);
    assert.ok(perSecond >= 200_000, `${perSecond}`);
  });
});
