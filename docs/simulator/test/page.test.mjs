import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { configSchema, initSync } from '../pkg/halfopen_sim_wasm.js';
import { built, closeBrowser, documentOf, fragmentOf, reading, simulator } from './stage.mjs';

const MOST_BYTES = 150_000;
const cases = documentOf('scenarios.json');
const still = { motion: 'reduce' };
const options = { timeout: 60_000 };

after(closeBrowser);

test('the whole page has at most 150 KB gzipped', () => {
  const files = ['index.html', 'tokens.css', 'halfopen-sim.js'];
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file)), { level: 9 }).length, 0);
  console.log(
    `simulator: ${bytes} bytes gzipped, ${files.reduce((sum, file) => sum + statSync(join(built, file)).size, 0)} in all`,
  );
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
});

test('it plays within a second of opening, and not where motion is unwelcome', options, async () => {
  await reading(async (reader, page) => {
    const first = await reader.picture();
    await page.waitForTimeout(800);
    assert.notEqual(await reader.picture(), first);
    assert.notEqual(await page.locator('.clock').textContent(), '0:00.0 / 1:30.0');
  });
  await reading(async (reader, page) => {
    const first = await reader.picture();
    assert.match(await reader.why.first().textContent(), /^Open after 5 failures in a row/);
    await page.waitForTimeout(1200);
    assert.equal(await reader.picture(), first, 'a still picture of the first opening');
    const before = await reader.playhead.inputValue();
    await reader.button('Play').click();
    await page.waitForFunction(
      (from) => Number(document.querySelector('halfopen-sim').shadowRoot.querySelector('.scrub').value) > Number(from),
      before,
    );
    const step = Number(await reader.playhead.inputValue()) - Number(before);
    assert.ok(Math.abs(step - 3) < 1e-6, `steps of a second at this speed: ${step}`);
  }, still);
});

for (const subject of cases) {
  test(`${subject.id}: the score, the sentence and the question`, options, async () => {
    const expected = documentOf('expected.json')[subject.id];
    await reading(async (reader, page) => {
      await reader.choose(subject.id);
      await page.getByText(subject.question).waitFor();
      await page.getByText(subject.notice).waitFor();
      const runs = Object.values(expected);
      const cells = (of) => runs.map(({ score }) => String(of(score)).replace(/\B(?=(\d{3})+$)/g, '\u2009'));
      assert.deepEqual(
        (await reader.row('Failed requests')).slice(0, runs.length),
        cells((score) => score.failed_requests),
      );
      assert.deepEqual(
        (await reader.row('Wasted calls')).slice(0, runs.length),
        cells((score) => score.wasted_calls),
      );
      assert.deepEqual(
        (await reader.row('Refused in vain')).slice(0, runs.length),
        cells((score) => score.refused_in_vain),
      );
      assert.deepEqual(await reader.reports(), expected);
      const changed = expected.a.transitions.find(({ worker }) => worker === 0);
      if (changed !== undefined) {
        await reader.seek(changed.at_seconds + 1e-6);
        await page.locator('.lane[data-state=open]').first().waitFor();
      }
    }, still);
  });
}

test('scrubbing back shows exactly what was', options, async () => {
  await reading(async (reader, page) => {
    await reader.choose('bad_shard');
    await reader.seek(27.3);
    await page.waitForTimeout(100);
    const [then, sentence] = [await reader.picture(), await reader.why.allTextContents()];
    for (const time of [80, 3, 44, 90, 0]) {
      await reader.seek(time);
    }
    await reader.seek(27.3);
    await page.waitForTimeout(100);
    assert.deepEqual(await reader.why.allTextContents(), sentence);
    assert.ok((await reader.picture()) === then);
  }, still);
});

test('a refused value shows the message of the core at its knob, and the last run stays', options, async () => {
  await reading(async (reader, page) => {
    const before = await reader.row('Failed requests');
    const threshold = page.getByLabel('Failures in a row', { exact: true });
    for (const [value, told] of [
      [
        '0',
        'failure_threshold = 0 is refused: allowed is a whole number from 1 to 65535, or none while another policy is on',
      ],
      ['many', 'failure_threshold = "many" is refused'],
      ['2.5', 'failure_threshold = 2.5 is refused'],
    ]) {
      await threshold.fill(value);
      await page.getByRole('alert').filter({ hasText: told }).waitFor();
      assert.equal(await threshold.getAttribute('aria-invalid'), 'true');
      assert.deepEqual(await reader.row('Failed requests'), before);
    }
    await page.getByRole('switch', { name: 'Failures in a row: on' }).click();
    await page.getByRole('alert').filter({ hasText: 'no other opening policy is on' }).waitFor();
    await page.getByRole('switch', { name: 'Share of failures: on' }).click();
    await page
      .getByText(/slow of \d+ calls in its window/)
      .first()
      .waitFor();
    await page.getByRole('tab', { name: 'Scenario' }).click();
    await page.getByLabel('Requests', { exact: true }).fill('-3');
    await page
      .getByRole('alert')
      .filter({ hasText: 'clients.per_second = -3 is refused: allowed is a number above 0' })
      .waitFor();
    await page.getByLabel('Requests', { exact: true }).fill('100000');
    await page.getByRole('alert').filter({ hasText: 'at most 300,000 requests' }).waitFor();
    await page.getByLabel('Requests', { exact: true }).fill('30');
    await page.getByRole('columnheader', { name: '2\u2009' }).waitFor();
  }, still);
});

test('every field of the configuration has its knob', options, async () => {
  await reading(async (reader, page) => {
    await page.getByText('Rarely changed').click();
    const knobs = await page
      .locator('.knob[data-field]')
      .evaluateAll((all) => [...new Set(all.map((knob) => knob.dataset.field))]);
    initSync({ module: readFileSync(join(simulator, 'pkg/halfopen_sim_wasm_bg.wasm')) });
    const known = Object.keys(JSON.parse(configSchema()).properties);
    assert.deepEqual(knobs.sort(), known.sort());
    assert.equal(await reader.score.count(), 1);
  }, still);
});

test('A and B side by side, with their difference', options, async () => {
  await reading(async (reader, page) => {
    await page.getByRole('tab', { name: 'Compare' }).click();
    assert.equal(await page.locator('.lane').count(), 2);
    assert.equal((await reader.row('Wasted calls')).at(-1), '=');
    await page.getByLabel('Wait until a probe', { exact: true }).fill('2');
    await page.waitForFunction(
      () =>
        document.querySelector('halfopen-sim').shadowRoot.querySelector('.score tbody tr td:last-child').textContent !==
        '=',
    );
    const [none, a, b, difference] = (await reader.row('Wasted calls')).map((cell) => Number(cell.replace('−', '-')));
    assert.equal(b - a, difference);
    assert.ok(none > b && b > a, 'shorter waits waste more probes');
    await reader.button('B').click();
    assert.match(await page.locator('.lane strong').textContent(), /^B: circuit to gemini/);
  }, still);
});

test('a link opens the same result, to the digit', options, async () => {
  await reading(async (reader, page, origin) => {
    await reader.choose('hanging');
    await page.getByLabel('Failures in a row', { exact: true }).fill('9');
    await page.getByLabel('Seed').fill('41');
    await page.keyboard.press('Tab');
    await page.getByRole('tab', { name: 'Scenario' }).click();
    await page.getByLabel('Timeout of a call', { exact: true }).fill('1.25');
    await reader.seek(31.5);
    const link = page.url();
    assert.ok(link.startsWith(`${origin}#1.`), link);
    const [score, sentence] = [await reader.score.textContent(), await reader.why.allTextContents()];
    await page.goto('about:blank');
    await page.goto(link);
    await reader.score.waitFor();
    await reader.seek(31.5);
    await page.waitForTimeout(100);
    assert.equal(await reader.score.textContent(), score);
    assert.deepEqual(await reader.why.allTextContents(), sentence);
  }, still);
  for (const [fragment, told] of [
    ['#7.abc', 'This link is of version 7, and this page reads version 1.'],
    ['#1.%%%', 'This link is damaged.'],
    [fragmentOf({ a: { failure_threshold: 0 } }), 'This link is refused: failure_threshold = 0'],
    [fragmentOf({ scenario: { seconds: 3 } }), 'This link is refused: clients'],
  ]) {
    await reading(
      async (reader, page) => {
        await page.getByRole('alert').filter({ hasText: told }).waitFor();
        assert.equal(await reader.score.count(), 1);
      },
      { ...still, fragment },
    );
  }
});

test('a provider is broken and healed by a click', options, async () => {
  await reading(async (reader, page) => {
    await reader.seek(60);
    await page.getByRole('button', { name: /gemini healthy ?: break it now/ }).click();
    await reader.seek(70);
    await page.locator('.lane[data-state=open]').waitFor();
    await page.getByRole('button', { name: /gemini down ?: heal it now/ }).click();
    await page.getByText('healthy').waitFor();
    const ends = page.getByRole('slider', { name: 'gemini down: ends' });
    assert.deepEqual(await ends.evaluateAll((all) => all.map((handle) => handle.getAttribute('aria-valuenow'))), [
      '50',
      '70',
    ]);
    await ends.first().focus();
    await page.keyboard.press('ArrowLeft');
    assert.equal(await ends.first().getAttribute('aria-valuenow'), '49');
    assert.equal(await ends.first().evaluate((handle) => handle.getRootNode().activeElement === handle), true);
  }, still);
});

test('everything works from a file, without a server', options, async () => {
  await reading(
    async (reader, page) => {
      await reader.choose('flapping');
      await page.getByText('Sweep: which values').click();
      await reader.button('Sweep').click();
      await page.getByText(/^Best/).waitFor();
      assert.equal(await reader.score.count(), 1);
    },
    { ...still, file: `file://${join(built, 'index.html')}` },
  );
});
