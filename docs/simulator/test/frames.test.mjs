import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { callsPerSecond } from './speed.mjs';
import { closeBrowser, reading } from './stage.mjs';

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
  const [[id, perSecond]] = Object.entries(await callsPerSecond(2000, 1));
  console.log(`${Math.round(perSecond / 1000)} thousand simulated calls a second in the browser, in "${id}"`);
  assert.ok(perSecond >= 200_000, `${perSecond}`);
});
