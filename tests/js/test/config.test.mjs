import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { CircuitBreaker, HalfopenError, InvalidValueError, ManualClock, Registry } from 'halfopen';

import { onStage } from './stage.mjs';

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const throws = () => {
  throw new Error('a trap');
};

/** Values that every number field refuses. */
const NO_NUMBERS = [
  0,
  -1,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e300,
  '3',
  '',
  true,
  false,
  3n,
  10n ** 400n,
  Symbol('three'),
  [],
  [3],
  {},
  { valueOf: () => 3 },
  { valueOf: throws, toString: throws },
  () => 3,
  new Date(3),
  new Number(3),
  revoked(),
];
const NUMBERS = ['failureThreshold', 'successThreshold', 'timeoutSeconds', 'halfOpenMaxCalls', 'probeTimeoutSeconds'];

function refusal(options) {
  try {
    new CircuitBreaker(options);
  } catch (error) {
    assert.ok(error instanceof InvalidValueError && error instanceof HalfopenError, String(error));
    assert.equal(error.code, 'INVALID_VALUE');
    for (const part of [error.field, error.value, error.allowed]) {
      assert.ok(typeof part === 'string' && part.length > 0 && error.message.includes(part), error.message);
    }
    assert.ok(error.message.length < 500, 'a message stays short');
    return error;
  }
  return assert.fail('it was accepted');
}

for (const field of NUMBERS) {
  test(`${field} takes numbers in its range only`, () => {
    for (const value of NO_NUMBERS) {
      if (!(field === 'probeTimeoutSeconds' && value === 1e300)) {
        assert.equal(refusal({ [field]: value }).field, field);
      }
    }
  });
}

test('counts are whole, and not too large for the core', () => {
  for (const field of ['failureThreshold', 'successThreshold', 'halfOpenMaxCalls']) {
    for (const value of [1.5, 65_536, 2 ** 32 + 1, 2 ** 53, 2 ** 64 + 4096]) {
      assert.equal(refusal({ [field]: value }).field, field);
    }
  }
});

test('a name is 1 to 128 printable characters', () => {
  for (const name of [
    '',
    'n'.repeat(129),
    'a\nb',
    '\u0000',
    '\u2028',
    5,
    null,
    {},
    ['a'],
    Symbol('s'),
    'x'.repeat(1e7),
  ]) {
    assert.equal(refusal({ name }).field, 'name');
  }
  for (const name of ['n'.repeat(128), '日本', '😀'.repeat(128), 'a b-c.d']) {
    assert.equal(new CircuitBreaker({ name }).name, name);
  }
});

test('an error shows the value in short, and names what is allowed', () => {
  const shown = (config) => refusal(config).value;
  assert.equal(shown({ timeoutSeconds: Number.NaN }), 'NaN');
  assert.equal(shown({ timeoutSeconds: 1e300 }), '1e+300');
  assert.equal(shown({ timeoutSeconds: '60' }), '"60"');
  assert.equal(shown({ timeoutSeconds: null }), 'null');
  assert.equal(shown({ timeoutSeconds: {} }), '(a value of type object)');
  assert.equal(shown({ name: 'n'.repeat(500) }).length, 83);
  assert.match(refusal({ probeTimeoutSeconds: 0 }).allowed, /timeoutSeconds/);
});

test('a field that does not exist is refused by the name that its author wrote', () => {
  for (const field of ['failureTreshold', 'failure_threshold', 'Name', '__proto__x', 'toString', 'x'.repeat(100)]) {
    assert.equal(refusal({ [field]: 1 }).field, field);
  }
  assert.throws(() => new CircuitBreaker({ '': 1 }), { code: 'INVALID_VALUE', field: '' });
  assert.throws(() => new CircuitBreaker({ ['x'.repeat(1e6)]: 1 }), InvalidValueError);
  assert.equal(refusal({ [Symbol('odd')]: 1 }).field, 'Symbol(odd)');
  assert.equal(refusal(JSON.parse('{"__proto__": 5}')).field, '__proto__');
  assert.match(refusal({ failureTreshold: 3 }).allowed, /failureThreshold/);
});

test('a field that is undefined is left out', () => {
  const { config } = new CircuitBreaker({ name: undefined, failureThreshold: undefined, timeoutSeconds: 5 });
  assert.deepEqual(config, { ...new CircuitBreaker().config, timeoutSeconds: 5 });
});

test('a value that is not a plain object is not a configuration', () => {
  class Settings {
    get failureThreshold() {
      return 1;
    }
  }
  for (const junk of [
    null,
    5,
    'text',
    true,
    Symbol('s'),
    5n,
    [],
    [{}],
    () => ({}),
    new Settings(),
    new Map(),
    revoked(),
  ]) {
    assert.equal(refusal(junk).field, 'options');
  }
  assert.equal(new CircuitBreaker(Object.create(null)).name, 'default');
  assert.equal(new CircuitBreaker(Object.freeze({ name: 'frozen' })).name, 'frozen');
});

test('getters and proxies that throw are refused, never thrown on', () => {
  const getter = Object.defineProperty({}, 'timeoutSeconds', { enumerable: true, get: throws });
  assert.deepEqual([refusal(getter).field, refusal(getter).value], ['timeoutSeconds', '(a getter that threw)']);
  for (const trap of ['ownKeys', 'getPrototypeOf']) {
    assert.equal(refusal(new Proxy({}, { [trap]: throws })).field, 'options');
  }
  assert.equal(refusal(new Proxy({ name: 'n' }, { get: throws })).field, 'name');
  const once = { reads: 0 };
  const flaky = Object.defineProperty({}, 'failureThreshold', { enumerable: true, get: () => ++once.reads });
  assert.equal(new CircuitBreaker(flaky).config.failureThreshold, 1);
});

test('options that do not fit are refused', () => {
  const later = [
    async () => 'failure',
    async function* () {
      yield 'failure';
    },
    function* () {
      yield 'failure';
    },
  ];
  const classes = [class {}, class extends Error {}, Error, Promise, Object.freeze(class {}), new Proxy(class {}, {})];
  for (const now of [...later, ...classes]) {
    assert.equal(refusal({ clock: { now } }).field, 'clock');
  }
  for (const clock of [null, 5, 'now', {}, { now: 5 }, Object.defineProperty({}, 'now', { get: throws }), revoked()]) {
    assert.equal(refusal({ clock }).field, 'clock');
  }
  for (const classify of [null, 5, 'failure', {}, [], ...later, ...classes]) {
    const { code, field, allowed } = refusal({ classify });
    assert.deepEqual([code, field], ['INVALID_VALUE', 'classify']);
    assert.match(allowed, /a plain function/);
  }
  const { breaker } = onStage();
  for (const listener of [null, {}, ...classes]) {
    assert.throws(() => breaker.subscribe(listener), { code: 'INVALID_VALUE', field: 'listener' });
  }
  assert.equal(refusal({ clasify: () => 'failure' }).field, 'clasify');
  assert.equal(refusal({ toString: 1 }).field, 'toString');
});

test('functions of every other kind are options', () => {
  function plain() {
    return 'failure';
  }
  const { method } = { method: () => 'failure' };
  for (const classify of [plain, method, plain.bind(null), new Proxy(method, {}), Object.freeze(plain)]) {
    assert.equal(new CircuitBreaker({ classify }).state, 'closed');
  }
  for (const clock of [Date, performance, { now: () => 0 }]) {
    assert.equal(new CircuitBreaker({ clock }).state, 'closed');
  }
});

test('no opening policy at all is refused', () => {
  assert.equal(refusal({ failureThreshold: null }).field, 'failureThreshold');
});

test('forceOpen takes seconds in their range, or nothing', () => {
  const { breaker } = onStage();
  for (const junk of NO_NUMBERS) {
    assert.throws(() => breaker.forceOpen(junk), { code: 'INVALID_VALUE', field: 'durationSeconds' });
  }
  assert.equal(breaker.mode, 'auto');
  for (const fine of [undefined, null, 0.001, 31_536_000]) {
    breaker.forceOpen(fine);
    assert.equal(breaker.mode, 'forced_open');
  }
});

test('events takes a sequence number', () => {
  const { breaker } = onStage();
  for (const junk of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '0', null, 0n, {}, Symbol('s')]) {
    assert.throws(() => breaker.events(junk), { code: 'INVALID_VALUE', field: 'after' });
  }
  for (const fine of [undefined, 0, 2 ** 60, 1e300]) {
    assert.deepEqual(breaker.events(fine), []);
  }
});

test('only own properties are options', () => {
  const inherited = { classify: () => 'ignored', clock: { now: () => 5 }, name: 'inherited', captureStack: true };
  Object.assign(Object.prototype, inherited);
  try {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    assert.equal(breaker.name, 'default');
    assert.ok(breaker.status().nowSeconds !== 0.005);
    return assert.rejects(
      breaker.call(() => Promise.reject(new Error('down'))),
      () => breaker.state === 'open',
    );
  } finally {
    for (const name of Object.keys(inherited)) {
      delete Object.prototype[name];
    }
  }
});

// With `get` or `set` on its prototype, `Object.defineProperty` fails everywhere, so no code may use it while calls
// run.
for (const name of ['get', 'set', 'value', 'signal', 'inside', 'calls', 'code', 'module']) {
  test(`'${name}' on Object.prototype changes nothing`, async () => {
    const { breaker } = onStage({ failureThreshold: 2 });
    Object.prototype[name] = () => 5;
    try {
      breaker.reconfigure({ failureThreshold: 1, window: { calls: 7 } });
      breaker.restore(breaker.snapshot());
      assert.equal(await breaker.call(() => 'fine', {}), 'fine');
      breaker.acquire({}).success();
      const raised = await breaker.call(() => Promise.reject(new Error('down'))).catch((error) => error);
      assert.deepEqual([raised.message, breaker.state, breaker.config.window.calls], ['down', 'open', 7]);
    } finally {
      delete Object.prototype[name];
    }
  });
}

test('classes and errors are shown by their names', () => {
  for (const type of [CircuitBreaker, InvalidValueError, ManualClock, Registry]) {
    assert.match(inspect(type), new RegExp(`^\\[class ${type.name}`));
  }
  const { breaker } = onStage();
  assert.match(inspect(breaker), /^CircuitBreaker /);
  assert.match(inspect(breaker.acquire()), /^Permit /);
  assert.match(inspect(refusal({ failureThreshold: 0 })), /^InvalidValueError: /);
});

test('the namespace of a module is a configuration', async () => {
  const settings = await import(
    'data:text/javascript,export const name = "from a module"; export const failureThreshold = 7'
  );
  const { config } = new CircuitBreaker(settings);
  assert.deepEqual([config.name, config.failureThreshold], ['from a module', 7]);
  const wrong = await import('data:text/javascript,export const failureTreshold = 7');
  assert.equal(refusal(wrong).field, 'failureTreshold');
});

test('helpers are not part of a configuration', () => {
  const { breaker } = onStage();
  for (const [name, helper] of Object.entries({ clock: Date, classify: () => 'failure', captureStack: true })) {
    assert.throws(() => breaker.reconfigure({ [name]: helper }), { code: 'INVALID_VALUE', field: name });
    assert.throws(() => breaker.matches({ [name]: helper }), { code: 'INVALID_VALUE', field: name });
  }
  for (const captureStack of [null, 1, 'true']) {
    assert.equal(refusal({ captureStack }).field, 'captureStack');
  }
});

test('a message writes null for none, as JavaScript does', () => {
  assert.throws(() => new CircuitBreaker({ failureRateThreshold: 2 }), {
    allowed: 'a number above 0, at most 1, or null',
  });
  const { breaker } = onStage();
  assert.throws(() => breaker.acquire().failure(-1), { field: 'retryAfter', allowed: /, or null$/ });
});

test('the configuration in force is frozen', () => {
  const breaker = new CircuitBreaker({ name: 'gemini', window: { calls: 10 } });
  assert.throws(() => Object.assign(breaker.config, { failureThreshold: 3 }), TypeError);
  assert.throws(() => Object.assign(breaker.config.window, { calls: 3 }), TypeError);
});
