/** The registry: one breaker for each name, a bound, and only idle breakers are released. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { InvalidValueError, ManualClock, NameConflictError, Registry, RegistryFullError } from 'halfopen';

import { collected, collectedUntil } from '../garbage.mjs';

const config = (name, fields = {}) => ({ name, failureThreshold: 1, successThreshold: 1, ...fields });

test('a name has one breaker with one configuration', () => {
  const registry = new Registry(2);
  const first = registry.getOrCreate(config('a'));
  assert.equal(registry.getOrCreate(config('a')), first);
  assert.equal(registry.get('a'), first);
  assert.throws(
    () => registry.getOrCreate(config('a', { failureThreshold: 2 })),
    (error) =>
      error instanceof NameConflictError &&
      error.code === 'NAME_CONFLICT' &&
      error.circuitName === 'a' &&
      error.field === 'failureThreshold' &&
      error.message === "a circuit named 'a' exists with another configuration: failureThreshold differs",
  );
  first.reconfigure(config('a', { failureThreshold: 2 }));
  assert.equal(registry.getOrCreate(config('a', { failureThreshold: 2 })), first);
  assert.equal(registry.get('b'), undefined);
});

test('a configuration without a name has the default one, and spelling out a default changes nothing', () => {
  const registry = new Registry(1);
  const breaker = registry.getOrCreate();
  assert.equal(breaker.name, 'default');
  for (const same of [{}, { name: undefined }, { name: 'default' }, { timeoutSeconds: 60 }]) {
    assert.equal(registry.getOrCreate(same), breaker);
  }
  assert.throws(() => registry.getOrCreate({ timeoutSeconds: 61 }), NameConflictError);
});

test('a full registry evicts idle breakers and no others', () => {
  const registry = new Registry(2);
  const held = registry.getOrCreate(config('held'));
  registry.getOrCreate(config('open')).acquire().failure();
  const permit = held.acquire();
  assert.throws(
    () => registry.getOrCreate(config('one too many')),
    (error) =>
      error instanceof RegistryFullError &&
      error.code === 'REGISTRY_FULL' &&
      error.bound === 2 &&
      error.message === 'the registry is full: each of its 2 circuits is in use; raise its bound or remove one',
  );
  permit.success();
  assert.equal(registry.getOrCreate(config('now there is room')).name, 'now there is room');
  assert.equal(registry.size, 2);
  assert.equal(registry.getOrCreate(config('held')), held, 'a held breaker stays the one of its name');
  assert.deepEqual(
    registry.breakers().map(({ name }) => name),
    ['held', 'now there is room', 'open'],
  );
  assert.equal(registry.removeUnused(), 1);
  assert.equal(registry.remove('open').state, 'open');
  assert.deepEqual([registry.remove('open'), registry.size], [undefined, 0]);
});

test('an evicted breaker that comes into use is kept again if there is room', () => {
  const registry = new Registry(1);
  const breaker = registry.getOrCreate(config('a'));
  assert.deepEqual([registry.removeUnused(), registry.size], [1, 0]);
  breaker.acquire().failure();
  assert.deepEqual([registry.removeUnused(), registry.size], [0, 1]);
});

test('an evicted breaker that is asked for again forgets nothing, although nobody holds it between its calls', async () => {
  const registry = new Registry(2);
  const ask = (name) => registry.getOrCreate(config(name, { timeoutSeconds: 3600 }));
  for (const name of ['well', 'other', 'one too many']) {
    ask(name).acquire().success();
  }
  ask('well').acquire().failure();
  await collected();
  assert.equal(ask('well').state, 'open');
  ask('other').acquire().failure();
  assert.throws(() => ask('one too many'), RegistryFullError);
});

const USES = {
  'a streak': [{ failureThreshold: 5 }, (breaker) => breaker.acquire().failure()],
  'an operation': [{}, (breaker) => breaker.disable()],
  'a listener': [{}, (breaker) => breaker.subscribe(() => undefined)],
  'a call in flight': [{}, (breaker) => breaker.call(() => new Promise(() => undefined))],
  'a failure in the window': [
    { failureThreshold: null, failureRateThreshold: 0.9 },
    (breaker) => breaker.acquire().failure(),
  ],
};
for (const [use, [fields, happen]] of Object.entries(USES)) {
  test(`${use} keeps a breaker`, () => {
    const registry = new Registry(1);
    happen(registry.getOrCreate(config('a', fields)));
    assert.equal(registry.getOrCreate(config('a', fields)).isIdle(), false);
    assert.equal(registry.removeUnused(), 0);
  });
}

test('openings are forgotten in time', () => {
  const clock = new ManualClock();
  const registry = new Registry(1, { clock });
  const breaker = registry.getOrCreate(config('a'));
  breaker.acquire().failure();
  clock.advance(60_000);
  breaker.acquire().success();
  assert.deepEqual([breaker.state, registry.removeUnused()], ['closed', 0]);
  clock.advance(60_000);
  assert.equal(registry.removeUnused(), 1);
});

test('its breakers have its classifier', async () => {
  const breaker = new Registry(1, { classify: () => 'ignored' }).getOrCreate(config('a'));
  await assert.rejects(breaker.call(() => Promise.reject(new Error('mine'))));
  assert.equal(breaker.status().ignoredCalls, 1);
});

test('a breaker that nobody holds is collected, and leaves no name behind', async () => {
  const registry = new Registry(10);
  for (let n = 0; n < 1000; n += 1) {
    registry.getOrCreate(config(`tenant ${n}`));
  }
  await collectedUntil(() => registry.breakers().length <= 20);
  assert.ok(registry.breakers().length <= 20, `${registry.breakers().length} are still there`);
});

test('of many that are held elsewhere, one that came into use is kept again', async () => {
  const registry = new Registry(2);
  const held = [];
  for (let n = 0; n < 20; n += 1) {
    held.push(registry.getOrCreate(config(`tenant ${n}`)));
  }
  (() => {
    const used = registry.getOrCreate(config('used', { timeoutSeconds: 3600 }));
    registry.removeUnused();
    used.acquire().failure();
    registry.removeUnused();
  })();
  await collected();
  assert.equal(registry.get('used').state, 'open');
  assert.equal(held.length, 20);
});

test('a full registry that makes room keeps again the breakers that came into use', async () => {
  const registry = new Registry(2);
  (() => {
    const used = registry.getOrCreate(config('used', { timeoutSeconds: 3600 }));
    for (const name of ['a', 'b', 'c']) {
      registry.getOrCreate(config(name));
    }
    used.acquire().failure();
    for (const name of ['d', 'e', 'f']) {
      registry.getOrCreate(config(name));
    }
  })();
  await collected();
  assert.equal(registry.get('used').state, 'open');
});

test('a wrapped function holds its breaker', async () => {
  const registry = new Registry(2);
  const ask = registry.getOrCreate(config('a', { timeoutSeconds: 3600 })).wrap(() => Promise.reject(new Error('down')));
  registry.removeUnused();
  await collected();
  registry.removeUnused();
  await assert.rejects(ask(), /down/);
  assert.equal(registry.get('a').state, 'open');
});

test('a breaker that comes into use after its eviction is not forgotten, although nobody holds it', async () => {
  const registry = new Registry(2);
  await (async () => {
    const used = registry.getOrCreate(config('used', { timeoutSeconds: 3600 }));
    registry.removeUnused();
    await collected();
    used.acquire().failure();
  })();
  await collected();
  assert.equal(registry.get('used').state, 'open');
  assert.deepEqual(registry.names(), ['used']);
});

test('many that are held elsewhere cost the registry no scan for each new one', () => {
  let reads = 0;
  const clock = {
    now() {
      reads += 1;
      return 0;
    },
  };
  const registry = new Registry(4, { clock });
  const held = [];
  for (let n = 0; n < 2000; n += 1) {
    held.push(registry.getOrCreate(config(`tenant ${n}`)));
  }
  assert.ok(reads < 20 * 2000, `${reads} readings`);
  assert.equal(registry.getOrCreate(config('tenant 0')), held[0]);
});

test('a lower bound removes what is idle', () => {
  const registry = new Registry(3);
  registry.getOrCreate(config('open')).acquire().failure();
  registry.getOrCreate(config('a'));
  registry.getOrCreate(config('b'));
  registry.setBound(1);
  assert.deepEqual([registry.size, registry.bound, registry.names()], [1, 1, ['open']]);
  assert.throws(() => registry.getOrCreate(config('c')), RegistryFullError);
  registry.setBound(2);
  registry.getOrCreate(config('c'));
  assert.deepEqual(registry.names(), ['c', 'open']);
  for (const bound of [0, 1.5, '1', undefined]) {
    assert.throws(
      () => registry.setBound(bound),
      (error) => error instanceof InvalidValueError && error.field === 'bound',
    );
  }
});

test('a bad bound is refused by name', () => {
  for (const bound of [0, -1, 1.5, true, '1', null, undefined, Number.NaN, Number.POSITIVE_INFINITY, 5n]) {
    assert.throws(
      () => new Registry(bound),
      (error) => error instanceof InvalidValueError && error.field === 'bound',
    );
  }
});

test('a bad configuration is refused by its field, known name or not', () => {
  const registry = new Registry(2, {});
  registry.getOrCreate(config('a'));
  for (const name of ['a', 'b']) {
    assert.throws(
      () => registry.getOrCreate(config(name, { failureThreshold: 0 })),
      (error) => error instanceof InvalidValueError && error.field === 'failureThreshold',
    );
  }
  assert.throws(
    () => registry.getOrCreate({ name: 5 }),
    (error) => error instanceof InvalidValueError && error.field === 'name',
  );
  assert.throws(
    () => new Registry(1, { clocks: Date }),
    (error) => error instanceof InvalidValueError && error.field === 'clocks',
  );
  assert.equal(registry.size, 1);
});

test('a name that is no text is the name of no breaker', () => {
  const registry = new Registry(1);
  const kept = registry.getOrCreate(config('5'));
  for (const name of [5, null, undefined, {}, ['5'], Symbol('5'), 5n, { length: 5 }]) {
    assert.deepEqual([registry.get(name), registry.remove(name)], [undefined, undefined]);
  }
  assert.equal(registry.remove('5'), kept);
});
