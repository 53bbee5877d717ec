/** An assignment that would have no effect throws an error that says what to call. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CircuitBreaker, InvalidValueError, Registry } from 'halfopen';
import { Recorder } from 'halfopen/recording';

const ASSIGNMENTS = [
  [() => new CircuitBreaker(), 'name', 'gemini', '"gemini"', 'make another CircuitBreaker'],
  [
    () => new CircuitBreaker(),
    'config',
    { failureThreshold: 3 },
    '(a value of type object)',
    'call reconfigure(config)',
  ],
  [() => new CircuitBreaker(), 'state', 'open', '"open"', 'call reset(), forceOpen() or disable()'],
  [() => new CircuitBreaker(), 'mode', 'disabled', '"disabled"', 'call reset(), forceOpen() or disable()'],
  [() => new CircuitBreaker(), 'missedEvents', 0, '0', 'it counts by itself'],
  [() => new Registry(1), 'bound', 5, '5', 'call setBound(bound)'],
  [() => new Registry(1), 'size', 0, '0', 'call remove(name) or removeUnused()'],
  [() => new Recorder(1), 'size', 0, '0', 'make another Recorder'],
];

const FIELDS = Object.keys(new CircuitBreaker().config).filter((field) => field !== 'name');
const RECONFIGURATIONS = FIELDS.map((field) => [
  () => new CircuitBreaker(),
  field,
  3,
  '3',
  `call reconfigure({ ...breaker.config, ${field}: … })`,
]);

for (const [make, field, value, shown, instead] of [...ASSIGNMENTS, ...RECONFIGURATIONS]) {
  const { name } = make().constructor;

  test(`an assignment to ${field} of a ${name} says what to do instead`, () => {
    const made = make();
    const before = made[field];
    const refused = new InvalidValueError(field, shown, `no assignment; ${instead}`);
    for (const assign of [
      () => {
        made[field] = value;
      },
      () => Object.assign(made, { [field]: value }),
      // A function made so is in sloppy mode, in which the language's own refusal is silent.
      () => new Function('made', 'value', `made.${field} = value`)(made, value),
    ]) {
      assert.throws(assign, refused);
    }
    assert.deepEqual(made[field], before);
  });
}

test('every property that has only a getter is listed', () => {
  for (const kind of [CircuitBreaker, Registry, Recorder]) {
    const accessors = Object.entries(Object.getOwnPropertyDescriptors(kind.prototype)).filter(([, { get }]) => get);
    const listed = ASSIGNMENTS.filter(([make]) => make() instanceof kind).map(([, field]) => field);
    assert.deepEqual(accessors.map(([field]) => field).sort(), listed.sort());
  }
});

test('the remedy in the error works', () => {
  const breaker = new CircuitBreaker({ name: 'gemini', timeoutSeconds: 30 });
  assert.throws(
    () => {
      breaker.failureThreshold = 3;
    },
    ({ allowed }) => {
      const remedy = allowed.replace(/.*call /, 'breaker.').replace('…', '3');
      new Function('breaker', remedy)(breaker);
      return true;
    },
  );
  const { name, failureThreshold, timeoutSeconds } = breaker.config;
  assert.deepEqual([name, failureThreshold, timeoutSeconds], ['gemini', 3, 30]);
});

test('a subclass may declare such a property, and a test may replace it', () => {
  class Own extends CircuitBreaker {
    state = 'mine';
  }
  assert.equal(new Own().state, 'mine');
  class OwnField extends CircuitBreaker {
    failureThreshold = 3;
  }
  assert.equal(new OwnField().failureThreshold, 3);
  const breaker = new CircuitBreaker();
  Object.defineProperty(breaker, 'state', { get: () => 'open' });
  assert.equal(breaker.state, 'open');
});
