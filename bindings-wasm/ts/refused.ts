/** What the core refuses, as the error that says so. */

import { InvalidValueError } from './errors.js';
import { camelCase, inCamelCase } from './names.js';
import type { Field } from './properties.js';
import { show } from './show.js';
import { answered, crossing, Refusal } from './wire.js';

/**
 * What the core answers.
 *
 * @throws InvalidValueError where it refuses one of these fields, by the name that their author wrote
 */
export function granted<Answer>(bytes: Uint8Array, fields: readonly Field[]): Answer {
  const answer = answered(bytes);
  if (answer instanceof Refusal) {
    const { field: name, allowed, value } = answer;
    const field = fields.find(({ key }) => crossing(key) === name);
    throw new InvalidValueError(field?.key ?? camelCase(name), field?.shown ?? show(value), inCamelCase(allowed));
  }
  return answer as Answer;
}
