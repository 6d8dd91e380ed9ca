// SPDX-License-Identifier: Apache-2.0

/** A capture that cannot be read, with its place: `dir/mmio.jsonl:12: no "n"`. */
export class CaptureError extends Error {
  readonly place: string;
  readonly reason: string;

  constructor(place: string, reason: string, options?: { cause?: unknown }) {
    super(`${place}: ${reason}`, options);
    this.name = 'CaptureError';
    this.place = place;
    this.reason = reason;
  }
}
