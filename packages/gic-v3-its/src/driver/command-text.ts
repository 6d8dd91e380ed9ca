// SPDX-License-Identifier: Apache-2.0
// Commands as messages print them: `MAPTI DeviceID=0x10 EventID=0x2 pINTID=0x2008 ICID=0x1`.

import { hex } from '@irqkit/bits';
import type { Addr, Word } from '@irqkit/bits';
import { CLEAR, DISCARD, INT, INV, INVALL, MAPC, MAPD, MAPTI, MOVI, SYNC, commandNumber } from '../commands.js';

type Layout = Readonly<Record<string, number | Word | Addr>>;

const LAYOUTS = Object.entries<Layout>({ CLEAR, DISCARD, INT, INV, INVALL, MAPC, MAPD, MAPTI, MOVI, SYNC });

export function describeCommand(command: Uint32Array): string {
  const number = commandNumber(command);
  const known = LAYOUTS.find(([, layout]) => layout.number === number);
  if (!known) return `command ${hex(number, 2)}`;
  const [name, layout] = known;
  const operands = Object.entries(layout).flatMap(([operand, read]) =>
    typeof read === 'function' ? [`${operand}=${hex(read(command))}`] : [],
  );
  return [name, ...operands].join(' ');
}
