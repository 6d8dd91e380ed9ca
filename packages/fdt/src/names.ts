// SPDX-License-Identifier: Apache-2.0
// Names of nodes and properties. Wider than Devicetree Specification v0.4, tables 2.1 and 2.2, allow: any printable ASCII but
// the slash, which separates the parts of a path.

import { FirmwareError } from '@irqkit/core';
import { ASCII } from './ascii.js';
import { MAX_NAME } from './format.js';

const NAME = /^[!-.0-~]+$/;
const SLASH = 0x2f;

/** True for what a node or property can be called. */
export function isName(name: string): boolean {
  return name.length <= MAX_NAME && NAME.test(name);
}

/**
 * The NUL-terminated name at `start`, empty where there is none.
 * @throws FirmwareError where it does not end before `end`, is too long or has a character that is no name's.
 */
export function readName(bytes: Uint8Array, start: number, end: number, place: string): string {
  let name = '';
  for (let at = start; at < end; at++) {
    const char = bytes[at];
    if (char === 0) return name;
    if (char <= 0x20 || char >= 0x7f || char === SLASH)
      throw new FirmwareError(place, `byte 0x${char.toString(16)} in a name`, at);
    if (at - start === MAX_NAME) throw new FirmwareError(place, `a name longer than ${MAX_NAME} characters`, start);
    name += ASCII[char];
  }
  throw new FirmwareError(place, 'a name without its NUL', start);
}
