// @ts-check
/** How long ago something was, whatever happens to the clocks. */

/** @import { Runtime } from '../types.d.ts' */

/**
 * Starts now. The steady clock may stand still while the machine sleeps, and the wall clock may be set: the longer of the
 * two counts, since what is shown as old does no harm, and what is shown as fresh may.
 *
 * @param {Pick<Runtime, 'now' | 'steady'>} runtime
 * @returns {() => number} the milliseconds since then, at least 0
 */
export function stopwatch(runtime) {
  const [wall, steady] = [runtime.now(), runtime.steady()];
  return () => Math.max(0, runtime.now() - wall, runtime.steady() - steady);
}
