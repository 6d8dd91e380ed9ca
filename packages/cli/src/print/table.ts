// SPDX-License-Identifier: Apache-2.0
// Tables: aligned columns in a pipe, ruled ones on a terminal.

import Table from 'cli-table3';
import pc from 'picocolors';
import type { CliIo } from '../io.js';

export type Cell = string | number | boolean;

/** Bare columns, two spaces apart. */
const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** A frame, with no rules between the rows. */
const RULED = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' } as const;

/** Lines under a head; numbers stand on the right. */
export function table(io: CliIo, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const { bold } = pc.createColors(io.color);
  const drawn = new Table({
    head: head.map((title) => bold(title)),
    colAligns: head.map((_, column) => (typeof rows[0]?.[column] === 'number' ? 'right' : 'left')),
    // The library's own colours would ignore what the terminal wants.
    style: { head: [], border: [], ...(io.terminal ? {} : { 'padding-left': 0, 'padding-right': 0 }) },
    chars: io.terminal ? RULED : PLAIN,
  });
  drawn.push(...rows.map((row) => row.map((cell) => String(cell))));
  const text = drawn.toString();
  return io.terminal ? text : text.replace(/ +$/gm, '');
}

/** A heading and what stands under it. */
export function part(io: CliIo, title: string, body: string): string {
  const { bold, cyan } = pc.createColors(io.color);
  return `${bold(cyan(title))}\n${body}\n`;
}
