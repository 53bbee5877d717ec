import { CircuitBreaker } from 'halfopen';

const breaker = new CircuitBreaker({ name: 'stream', failureThreshold: 2 });

/** What a reader of such a stream is told, and what the breaker counts then: successes, failures, cancelled calls. */
async function read(end) {
  const stream = await breaker.call(async function* () {
    yield 'first';
    if (end === 'breaks') {
      throw new Error('the connection is lost');
    }
  });
  const { inFlight } = breaker.status();
  const told = [`${end} with ${inFlight} in flight`];
  try {
    for await (const chunk of stream) {
      told.push(chunk);
      if (end === 'is left') {
        break;
      }
    }
  } catch (error) {
    told.push(error.message);
  }
  const { successfulCalls, failedCalls, cancelledCalls } = breaker.status();
  console.log(told.join(', '), successfulCalls, failedCalls, cancelledCalls);
}

read('ends')
  .then(() => read('breaks'))
  .then(() => read('is left'));
