/** A reporter for `node --test`: the output of each failed case, and at the end one table of all cases. */

export default async function* reporter(events) {
  const rows = [];
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    } else if (
      (type === 'test:pass' || type === 'test:fail') &&
      data.details.type !== 'suite' &&
      data.skip === undefined
    ) {
      const passed = type === 'test:pass';
      rows.push({ name: data.name, passed, seconds: data.details.duration_ms / 1000 });
      yield passed ? `ok: ${data.name}\n` : `FAILED: ${data.name}\n${message(data.details.error)}\n\n`;
    }
  }
  yield table(rows);
}

/** The error of the test itself, which the test runner has wrapped. */
function message(error) {
  const cause = error.cause ?? error;
  return (cause.stack ?? String(cause)).replaceAll(/^/gm, '    ');
}

function table(rows) {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const lines = rows.map(
    ({ name, passed, seconds }) =>
      `${name.padEnd(width)}  ${passed ? 'works ' : 'FAILED'}  ${seconds.toFixed(1).padStart(6)} s`,
  );
  const failed = rows.filter(({ passed }) => !passed).length;
  return `\n${lines.join('\n')}\n\n${rows.length - failed} passed, ${failed} failed\n`;
}
