// SPDX-License-Identifier: Apache-2.0
// String lists: Devicetree Specification v0.4, section 2.2.4.

import { ASCII } from './ascii.js';

/** The NUL-terminated strings of `value`, which ends with a NUL or is empty. Bytes beyond ASCII are read as UTF-8. */
export function decodeStrings(value: Uint8Array): readonly string[] {
  const strings: string[] = [];
  for (let start = 0, at = 0; at < value.length; at++) {
    if (value[at] !== 0) continue;
    strings.push(decodeText(value, start, at));
    start = at + 1;
  }
  return strings;
}

function decodeText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) {
    if (bytes[at] > 0x7f) return new TextDecoder().decode(bytes.subarray(start, end));
    text += ASCII[bytes[at]];
  }
  return text;
}
