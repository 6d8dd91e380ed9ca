// SPDX-License-Identifier: Apache-2.0

/** A check that did not hold. The message says what was seen and what is wanted. */
export class ConformanceError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ConformanceError';
  }
}
