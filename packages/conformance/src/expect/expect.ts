// SPDX-License-Identifier: Apache-2.0
// The kit's assertions: a runner's own would tie it to that runner.

import { LinuxError } from '@irqkit/core';
import type { Errno } from '@irqkit/core';
import { ConformanceError } from './conformance-error.js';
import { firstDifference } from './same-data.js';

/** @throws ConformanceError */
export function expectThat(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new ConformanceError(message());
}

/** Equal as data. `what` begins the message. @throws ConformanceError */
export function expectSame(actual: unknown, wanted: unknown, what: string): void {
  const place = firstDifference(actual, wanted);
  if (place !== undefined)
    throw new ConformanceError(`${what}: differs at ${place}; ${show(actual)} where ${show(wanted)} is wanted`);
}

/** `work` throws a LinuxError of that code, or of one of those codes. @throws ConformanceError */
export function expectErrno(work: () => unknown, code: Errno | readonly Errno[], what: string): void {
  const codes = [code].flat();
  const error = thrownBy(work);
  if (codes.some((wanted) => LinuxError.is(error, wanted))) return;
  const seen = error === undefined ? 'nothing was thrown' : `${error.message} was thrown`;
  throw new ConformanceError(`${what}: ${seen}, ${codes.join(' or ')} is wanted`, { cause: error });
}

/** What `work` throws; undefined where it returns. */
export function thrownBy(work: () => unknown): Error | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof Error
      ? error
      : new ConformanceError('something that is no Error was thrown', { cause: error });
  }
  return undefined;
}

const MOST_SHOWN = 200;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
