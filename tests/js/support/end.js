/** What a test opened is closed at its end, what was opened last first: a page before the hub that it shows. */

const opened = new WeakMap();

/** Closes it when the test has ended. One that cannot be closed keeps no other open. */
export function atEnd(t, close) {
  if (!opened.has(t)) {
    opened.set(t, []);
    t.after(() => closeAll(opened.get(t)));
  }
  opened.get(t).push(close);
}

async function closeAll(closers) {
  const errors = [];
  while (closers.length > 0) {
    try {
      await closers.pop()();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, errors.join('; '));
}
