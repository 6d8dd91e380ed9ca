// SPDX-License-Identifier: Apache-2.0
// Commands as messages print them: `CMD_TLBI_NH_VA ASID=0x1 Leaf=0x1 Address=0xffffc000`. What is zero is left out.

import { hex } from '@irqkit/bits';
import type { Addr, Word } from '@irqkit/bits';
import * as commands from '../commands.js';

type Layout = Readonly<Record<string, number | Word | Addr>>;

const LAYOUTS = Object.entries(commands).filter(([name]) => name.startsWith('CMD_')) as [string, Layout][];

export function describeCommand(command: Uint32Array): string {
  const opcode = commands.commandOpcode(command);
  const known = LAYOUTS.find(([, layout]) => layout.opcode === opcode);
  if (!known) return `command ${hex(opcode, 2)}`;
  const [name, layout] = known;
  const operands = Object.entries(layout).flatMap(([operand, read]) =>
    typeof read === 'function' && operand !== 'AddressHigh' && read(command) > 0
      ? [`${operand}=${hex(read(command))}`]
      : [],
  );
  return [name, ...operands].join(' ');
}
