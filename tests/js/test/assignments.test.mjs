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

for (const [make, field, value, shown, instead] of ASSIGNMENTS) {
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

test('a subclass may declare such a property, and a test may replace it', () => {
  class Own extends CircuitBreaker {
    state = 'mine';
  }
  assert.equal(new Own().state, 'mine');
  const breaker = new CircuitBreaker();
  Object.defineProperty(breaker, 'state', { get: () => 'open' });
  assert.equal(breaker.state, 'open');
});
