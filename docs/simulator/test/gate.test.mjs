/** The gate as it is drawn: calls that turn back, and the slots of probes. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { closeBrowser, fragmentOf, reading } from './stage.mjs';

const options = { timeout: 60_000 };

after(closeBrowser);

/** A link to one provider with steady calls, a fault from second 5 on, and the configuration A. */
function linkTo({ perSecond, effect, a, speed }) {
  const scenario = {
    seed: 1,
    seconds: 60,
    clients: {
      per_second: perSecond,
      arrivals: { kind: 'steady' },
      timeout_seconds: 8,
      retries: 0,
      backoff_seconds: 0,
    },
    workers: 1,
    providers: [{ name: 'gemini', latency: { kind: 'fixed', seconds: 0.1 } }],
    faults: [{ provider: 'gemini', from_seconds: 5, to_seconds: 60, effect }],
  };
  return { motion: 'reduce', fragment: fragmentOf({ id: 'down', speed, scenario, a }) };
}

/** The colour of a token in the stage. */
const colourOf = (page, token) =>
  page.evaluate((name) => {
    const probe = document.createElement('i');
    document.querySelector('halfopen-sim').shadowRoot.querySelector('.sim').append(probe);
    probe.style.color = `var(--${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, token);

/** The canvas stores a colour in its own way of writing. */
const painted = (page, colour) =>
  page.evaluate((style) => {
    const context = document.createElement('canvas').getContext('2d');
    context.strokeStyle = style;
    return context.strokeStyle;
  }, colour);

test('a rejected call meets the open arm, and turns back to the clients', options, async () => {
  const link = linkTo({
    perSecond: 1,
    effect: { kind: 'down' },
    a: { failure_threshold: 1, timeout_seconds: 30 },
    speed: 0.5,
  });
  await reading(async (reader, page) => {
    const refused = await painted(page, await colourOf(page, 'refused'));
    /** The tip of each arrow in a moment, and the ends of the switch. */
    const moment = async (time) => {
      const { paths, discs } = await reader.drawn(time);
      const tips = paths
        .filter(({ colour, points }) => colour === refused && points.length === 3)
        .map((it) => it.points[1]);
      const [gateIn, gateOut] = discs.filter(({ radius }) => radius === 5).map(({ x }) => x);
      return { tips, gateIn, gateOut, underWay: discs.filter(({ radius }) => radius === 3.5).map(({ x }) => x) };
    };
    assert.deepEqual((await moment(4.5)).tips, [], 'a closed gate lets everything through');

    let start = 5.5;
    while ((await moment(start)).tips.length === 0) {
      start += 0.05;
      assert.ok(start < 9, 'nothing was turned back');
    }
    const seen = [];
    for (let time = start; time < start + 0.6; time += 0.05) {
      seen.push(await moment(time));
    }
    const [{ gateIn }] = seen;
    const distances = seen.map(({ tips: [[x]] }) => gateIn - x);
    assert.ok(distances[0] < 30, `it turns ${distances[0]} pixels before the gate`);
    for (const [at, distance] of distances.entries()) {
      assert.ok(distance > 0 && (at === 0 || distance > distances[at - 1]), `its way back: ${distances}`);
    }
    assert.ok(distances.at(-1) > 150, `it is near the clients: ${distances.at(-1)}`);
    assert.ok(seen.at(-1).tips[0][1] > seen[0].tips[0][1], 'on the way back, below the way there');
    for (let time = start; time < start + 3; time += 0.1) {
      const { underWay } = await moment(time);
      assert.ok(
        underWay.every((x) => x < gateIn),
        `nothing passes the open gate: ${underWay}`,
      );
    }
  }, link);
});

test('probe slots are filled, and their countdown runs down until they come back', options, async () => {
  const link = linkTo({
    perSecond: 4,
    effect: { kind: 'hanging', share: 1 },
    a: { failure_threshold: 2, timeout_seconds: 2, half_open_max_calls: 2, probe_timeout_seconds: 4 },
    speed: 0.5,
  });
  await reading(async (reader, page) => {
    const probing = await painted(page, await colourOf(page, 'half_open'));
    const slotsTaken = ({ texts }) => texts[texts.indexOf('probes in flight') + 1];
    const countdown = ({ texts }) =>
      texts.map((text) => /^slots come back in ([\d.]+) s$/.exec(text)).find(Boolean)?.[1];

    // Calls begin at quarters of a second, so no countdown is halfway between two tenths.
    let time = 13.02;
    let drawn = await reader.drawn(time);
    while (countdown(drawn) === undefined) {
      time += 0.1;
      assert.ok(time < 30, 'the slots were never all taken');
      drawn = await reader.drawn(time);
    }
    assert.equal(slotsTaken(drawn), '2 of 2');
    assert.equal(
      drawn.discs.filter(({ radius, fill }) => radius === 5 && fill === probing).length,
      2,
      'two slots are full',
    );
    assert.ok(drawn.discs.filter(({ radius }) => radius === 7.5).length === 2, 'two probes are ringed');
    const first = Number(countdown(drawn));
    assert.ok(first > 3.8 && first <= 4, `${first}`);
    assert.equal(Number(countdown(await reader.drawn(time + 1))).toFixed(1), (first - 1).toFixed(1));
    assert.equal(Number(countdown(await reader.drawn(time + 3))).toFixed(1), (first - 3).toFixed(1));
    const later = await reader.drawn(time + first + 0.15);
    assert.equal(countdown(later), undefined);
    assert.match(slotsTaken(later), /^[01] of 2$/);
  }, link);
});
