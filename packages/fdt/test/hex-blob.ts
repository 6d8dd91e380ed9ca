// SPDX-License-Identifier: Apache-2.0
// A blob typed byte by byte: hexadecimal bytes, each line with what it is after a `;`.

export function hexBlob(listing: string): Uint8Array {
  const digits = listing
    .split('\n')
    .map((line) => line.split(';')[0])
    .join('')
    .replace(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(at * 2, at * 2 + 2), 16));
}

/** `blob` with the big-endian word at `offset` replaced. */
export function withWord(blob: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = blob.slice();
  new DataView(copy.buffer).setUint32(offset, value);
  return copy;
}
