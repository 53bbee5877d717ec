import { CircuitBreaker } from 'halfopen';

const breaker = new CircuitBreaker({ name: 'stream', failureThreshold: 2 });

/** Prints the items and errors that a reader gets, and the calls that succeeded, failed and were cancelled. */
async function read(end) {
  const stream = await breaker.call(async function* () {
    yield 'first';
    if (end === 'breaks') {
      throw new Error('the connection is lost');
    }
  });
  const { inFlight } = breaker.status();
  const log = [`${end} with ${inFlight} in flight`];
  try {
    for await (const chunk of stream) {
      log.push(chunk);
      if (end === 'is left') {
        break;
      }
    }
  } catch (error) {
    log.push(error.message);
  }
  const { successfulCalls, failedCalls, cancelledCalls } = breaker.status();
  console.log(log.join(', '), successfulCalls, failedCalls, cancelledCalls);
}

read('ends')
  .then(() => read('breaks'))
  .then(() => read('is left'));
