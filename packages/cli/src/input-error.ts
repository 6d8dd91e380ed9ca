// SPDX-License-Identifier: Apache-2.0

/** Input or usage that cannot be worked with: told in one line that begins with its place, exit code 2. */
export class InputError extends Error {
  constructor(place: string, message: string, options?: { cause?: unknown }) {
    super(`${place}: ${message}`, options);
    this.name = 'InputError';
  }
}
