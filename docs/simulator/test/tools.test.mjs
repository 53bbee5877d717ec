import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { violationsOn } from '../../../tests/js/browser/axe.mjs';
import { closeBrowser, reading, simulator } from './stage.mjs';

const incident = join(simulator, '../examples/incident.csv');
const still = { motion: 'reduce' };
const options = { timeout: 60_000 };

after(closeBrowser);

/** Puts an element with these attributes in place of the page's own. */
const embed = (page, attributes) =>
  page.evaluate((all) => {
    const element = document.createElement('halfopen-sim');
    for (const [name, value] of Object.entries(all)) {
      element.setAttribute(name, value);
    }
    document.querySelector('main').replaceChildren(element);
  }, attributes);

test('axe finds nothing, in light and dark, wide and narrow, in each part of the page', {
  timeout: 120_000,
}, async () => {
  for (const [colors, width] of [
    ['light', 1280],
    ['dark', 360],
  ]) {
    await reading(
      async (reader, page) => {
        await reader.choose('bad_shard');
        await reader.seek(27.3);
        for (const title of ['The same as tables', 'Sweep: which values']) {
          await page.getByText(title).click();
        }
        await reader.button('Sweep').click();
        await page.getByText(/^Best/).waitFor();
        if (width < 900) {
          await reader.button('Knobs').click();
        }
        assert.deepEqual(await violationsOn(page), []);
        await page.getByRole('tab', { name: 'Scenario' }).click();
        assert.deepEqual(await violationsOn(page), []);
        await page.getByRole('tab', { name: 'A', exact: true }).click();
        await page.getByLabel('Failures in a row', { exact: true }).fill('0');
        await page.getByRole('button', { name: 'Copy A as code …' }).click();
        assert.deepEqual(await violationsOn(page), []);
      },
      { ...still, colors, width },
    );
  }
});

test('a dropped log is replayed, and tells whether A was in force', options, async () => {
  await reading(async (reader, page) => {
    await reader.chooseLog(incident);
    await page.getByText('What would have been different').waitFor();
    await page.getByText('A reproduces every decision of the 14 recorded calls').waitFor();
    await reader.seek(12);
    assert.match(await reader.why.first().textContent(), /^Open after 5 failures in a row/);
    await page.getByLabel('Failures in a row', { exact: true }).fill('2');
    await page.getByText('A decides differently for the first time at 0:05.0, record 4').waitFor();
    const table = page.getByRole('table', { name: 'What would have been different' });
    const cells = (title) =>
      table
        .getByRole('row', { name: new RegExp(`^${title}`) })
        .locator('td')
        .allTextContents();
    assert.deepEqual(await cells('Failures spared'), ['3', '4']);
    await reader.chooseLog({ name: 'bad.jsonl', text: '{"at_seconds": 1}' });
    await page.getByText('bad.jsonl: log[1]').waitFor();
    await reader.choose('down');
    assert.equal(await reader.score.count(), 1);
  }, still);
});

test('a trace is replayed as the log of the same calls', options, async () => {
  await reading(async (reader, page) => {
    const table = page.getByRole('table', { name: 'What would have been different' });
    const told = [];
    const series = [];
    for (const log of ['incident.csv', 'incident-spans.jsonl']) {
      await reader.chooseLog(join(simulator, '../examples', log));
      await page.locator('option', { hasText: log }).waitFor({ state: 'attached' });
      await page.getByText('A reproduces every decision of the 14 recorded calls').waitFor();
      assert.equal(await reader.button('Copy link').isDisabled(), true, 'a link holds no log');
      await reader.seek(12);
      const { a } = await reader.reports();
      series.push(a.series);
      told.push([await table.locator('tbody').textContent(), await reader.why.first().textContent()]);
    }
    assert.deepEqual(told[0], told[1]);
    assert.deepEqual(series[0], series[1], 'also far from the origin of the clock');
    const span = '{"kind": 3, "name": "a", "startTimeUnixNano": "soon"}';
    const text = `{"resourceSpans": [{"scopeSpans": [{"spans": [${span}]}]}]}`;
    await reader.chooseLog({ name: 'bad.json', text });
    await page
      .getByText('bad.json: log[1].resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano = "soon" is refused')
      .waitFor();
  }, still);
});

test('the sweep finds a best point, and a click makes it A', options, async () => {
  await reading(async (reader, page) => {
    await reader.choose('bad_shard');
    await page.getByText('Sweep: which values').click();
    await page.getByLabel('Less of').selectOption('failed_requests');
    await reader.button('Sweep').click();
    await page.getByText(/These fields matter( little| much)?: \d+ of \d+ points/).waitFor();
    const best = page.getByRole('button', { name: /, the best$/ }).first();
    const [, value] = (await best.getAttribute('aria-label')).match(/: (\d+), the best$/);
    await best.click();
    const [, a] = await reader.row('Failed requests');
    assert.equal(a, value, 'the map and the page count the same');
  }, still);
});

test('the keyboard alone is enough', options, async () => {
  await reading(async (reader, page) => {
    const focused = () =>
      page.evaluate(() => {
        const element = document.querySelector('halfopen-sim').shadowRoot.activeElement;
        return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
      });
    const tabTo = async (name) => {
      for (let presses = 0; presses < 80; presses++) {
        await page.keyboard.press('Tab');
        if ((await focused()).trim() === name) {
          return;
        }
      }
      assert.fail(`no way to ${name}`);
    };
    await tabTo('Scenario');
    await page.keyboard.press('ArrowDown');
    await page.getByText('Will it open?').waitFor();
    await tabTo('To the next change of state');
    await page.keyboard.press('Enter');
    await page.locator('.lane[data-state=open]').first().waitFor();
    await tabTo('Time');
    await page.waitForTimeout(100);
    const before = Number(await reader.playhead.inputValue());
    await page.keyboard.press('ArrowRight');
    await page.waitForTimeout(100);
    assert.ok(Math.abs(Number(await reader.playhead.inputValue()) - before - 1) < 1e-6);
    await tabTo('A');
    await page.keyboard.press('ArrowRight');
    assert.equal((await focused()).trim(), 'B');
    assert.equal(await page.getByRole('tab', { name: 'B' }).getAttribute('aria-selected'), 'true');
  }, still);
});

test('360 pixels are enough: nothing is cut off, and the knobs are a sheet', options, async () => {
  for (const width of [360, 768, 1280]) {
    await reading(
      async (reader, page) => {
        await reader.choose('failover');
        const overflow = await page.evaluate(() => {
          const { shadowRoot } = document.querySelector('halfopen-sim');
          const wide = [...shadowRoot.querySelectorAll('.toolbar *, .stage *, .legend, .why, .plots, .timeline')];
          const cut = wide.filter(
            (element) => element.getBoundingClientRect().right > innerWidth + 0.5 && !element.closest('.hidden'),
          );
          return [document.documentElement.scrollWidth - innerWidth, ...cut.map((element) => element.className)];
        });
        assert.deepEqual(overflow, [0], `${width}`);
        if (width < 900) {
          await reader.button('Knobs').click();
          await page.getByLabel('Failures in a row', { exact: true }).fill('3');
          await page.keyboard.press('Escape');
          assert.equal(await page.locator('.sheet').isVisible(), true, 'the first one hides the hint');
          await page.keyboard.press('Escape');
          assert.equal(await page.locator('.sheet').isVisible(), false);
        }
      },
      { ...still, width, height: 740 },
    );
  }
});

test('the score fits into 360 pixels in each scenario', options, async () => {
  await reading(
    async (reader, page) => {
      const ids = await page
        .getByLabel('Scenario', { exact: true })
        .locator('option')
        .evaluateAll((all) => all.map((it) => it.value));
      const excess = {};
      for (const id of ids) {
        await reader.choose(id);
        excess[id] = await page.locator('.scores').evaluate((it) => it.scrollWidth - it.clientWidth);
      }
      assert.deepEqual(excess, Object.fromEntries(ids.map((id) => [id, 0])));
    },
    { ...still, width: 360 },
  );
});

test('the hint of a knob is dismissed by Escape, and by the pointer on another knob', options, async () => {
  await reading(async (_, page) => {
    const knob = (label) => page.getByLabel(label, { exact: true });
    const hint = page.locator('.knob[data-field=failure_threshold] .hint');
    await knob('Failures in a row').focus();
    await hint.waitFor({ state: 'visible' });
    await page.keyboard.press('Escape');
    assert.equal(await hint.isVisible(), false);
    assert.equal(await knob('Failures in a row').evaluate((it) => it.matches(':focus')), true, 'the focus stays');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Shift+Tab');
    await hint.waitFor({ state: 'visible' });
    await knob('Wait until a probe').hover();
    assert.equal(await hint.isVisible(), false);
    await knob('Wait until a probe').click();
    await page.locator('.knob[data-field=timeout_seconds] .hint').waitFor({ state: 'visible' });
  }, still);
});

test('changes of state are announced, at most one sentence in three seconds', options, async () => {
  await reading(async (reader, page) => {
    await page.evaluate(() => {
      globalThis.told = [];
      const status = document.querySelector('halfopen-sim').shadowRoot.querySelector('[aria-live=polite]');
      new MutationObserver(() => globalThis.told.push([performance.now(), status.textContent])).observe(status, {
        childList: true,
      });
    });
    await reader.choose('flapping');
    await reader.seek(14);
    await page.waitForFunction(() => globalThis.told.length >= 2, undefined, { timeout: 20_000 });
    const [[first, text], [second]] = await page.evaluate(() => globalThis.told);
    assert.match(text, /^0:\d\d\.\d: .*circuit to gemini is (open|half-open|closed), /);
    assert.ok(second - first >= 2900, `${second - first} ms`);
  });
});

test('the same data stands in tables', options, async () => {
  await reading(async (reader, page) => {
    await page.getByText('The same as tables').click();
    const changes = page.getByRole('table', { name: 'Changes of state' });
    await changes
      .getByRole('cell', { name: 'open after 5 failures in a row: in 10.0 s the next call is let through as a probe' })
      .first()
      .waitFor();
    const ends = page.getByRole('table', { name: 'Requests by their end' });
    const numbers = await ends.locator('tbody tr td:nth-child(2)').allTextContents();
    const [failed] = await reader.row('Failed requests');
    const without = (await ends.locator('tbody tr td:nth-child(3)').allTextContents()).reduce(
      (sum, text) => sum + Number(text),
      0,
    );
    assert.equal(numbers.length, 12);
    assert.equal(without, Number(failed));
  }, still);
});

test('an element embeds a scenario with the knobs that it names', options, async () => {
  await reading(async (reader, page) => {
    await embed(page, {
      scenario: 'brown_out',
      b: 'none',
      a: '{"failure_threshold": 3}',
      knobs: 'failure_threshold timeout_seconds',
    });
    await page.getByText('Will it open?').waitFor();
    const knobs = await page.locator('.knob').evaluateAll((all) => all.map((knob) => knob.dataset.field));
    assert.deepEqual(knobs, ['failure_threshold', 'timeout_seconds']);
    assert.equal(await page.getByLabel('Failures in a row', { exact: true }).inputValue(), '3');
    assert.equal(await page.locator('.lane').count(), 1);
    assert.equal(await reader.score.count(), 0);
    assert.equal(await page.getByRole('tab').count(), 0);
  }, still);
});

test('an embedded comparison has the knobs of both, and the score where it is asked for', options, async () => {
  await reading(async (reader, page) => {
    await embed(page, { scenario: 'bad_shard', knobs: 'failure_threshold failure_rate_threshold', score: '' });
    await page.getByText('A breaker for each shard would be better than both.').waitFor();
    const [none, a, b] = await reader.row('Failed requests');
    assert.equal(b, none);
    assert.deepEqual(await page.getByRole('tab').allTextContents(), ['A', 'B']);
    await page.getByRole('tab', { name: 'B' }).click();
    await page.getByLabel('Share of failures', { exact: true }).fill('10');
    await page.waitForFunction(
      (before) =>
        document.querySelector('halfopen-sim').shadowRoot.querySelector('.score tbody tr td:nth-child(4)')
          .textContent !== before,
      b,
    );
    assert.equal((await reader.row('Failed requests'))[1], a, 'A is as before');
  }, still);
});
