import assert from 'node:assert/strict';
import { test } from 'node:test';

import { instance } from './host.mjs';

/** The registry of an instance of its own. */
function registry(bound) {
  return instance(() => 0n).circuit.Registry.create(bound);
}

const config = (name, failures = 1) => ({ name, failureThreshold: { tag: 'failures', val: failures } });

test('a name has one circuit, and every handle is on that one', () => {
  const breakers = registry(2);
  const [one, other] = [breakers.getOrCreate(config('a'), 0n), breakers.getOrCreate(config('a'), 1n)];
  one.acquire().failure(undefined);
  assert.equal(other.state(), 'open');
  assert.equal(breakers.get('a').state(), 'open');
  assert.equal(breakers.get('b'), undefined);
  assert.equal(breakers.size(), 1);
});

test('a refused request has a code', () => {
  const breakers = registry(1);
  const held = breakers.getOrCreate(config('a'), 0n);
  const refused = (wanted) => {
    try {
      breakers.getOrCreate(wanted, 0n);
    } catch ({ payload }) {
      return payload;
    }
    return assert.fail('it was handed out');
  };
  assert.deepEqual(refused(config('a', 2)), {
    tag: 'name-conflict',
    val: { code: 'NAME_CONFLICT', circuitName: 'a', field: 'failure_threshold' },
  });
  assert.deepEqual(refused(config('b')), { tag: 'registry-full', val: { code: 'REGISTRY_FULL', bound: 1 } });
  const { tag, val } = refused(config(''));
  assert.deepEqual([tag, val.code, val.field], ['invalid-value', 'INVALID_VALUE', 'name']);
  assert.equal(held.state(), 'closed');
});

test('a handle and a permit keep a circuit in use', () => {
  const breakers = registry(2);
  const handle = breakers.getOrCreate(config('a'), 0n);
  assert.equal(breakers.removeUnused(), 0, 'there is a handle');
  const permit = handle.acquire();
  permit.success();
  handle[Symbol.dispose]();
  assert.equal(breakers.removeUnused(), 0, 'there is a permit');
  permit[Symbol.dispose]();
  assert.equal(breakers.removeUnused(), 1);
  assert.equal(breakers.size(), 0);
});

test('a full registry evicts circuits that are idle and have no handle', () => {
  const breakers = registry(2);
  const open = breakers.getOrCreate(config('open'), 0n);
  const permit = open.acquire();
  permit.failure(undefined);
  permit[Symbol.dispose]();
  open[Symbol.dispose]();
  breakers.getOrCreate(config('idle'), 0n)[Symbol.dispose]();
  breakers.getOrCreate(config('third'), 0n);
  assert.deepEqual(
    breakers.breakers().map((breaker) => breaker.name()),
    ['open', 'third'],
  );
});

test('a handle on a removed circuit stays valid', () => {
  const breakers = registry(1);
  const held = breakers.getOrCreate(config('a'), 0n);
  const removed = breakers.remove('a');
  assert.equal(breakers.remove('a'), undefined);
  removed.acquire().failure(undefined);
  assert.equal(held.state(), 'open');
  assert.equal(breakers.getOrCreate(config('a'), 0n).state(), 'closed');
});
