// SPDX-License-Identifier: Apache-2.0
// ITS commands as text, from their bytes and from QEMU's trace, so that both can be compared.

import { commands } from '@irqkit/gic-v3-its';

type Operands = Readonly<Record<string, (words: Uint32Array) => number>>;

const { MOVI, INT, CLEAR, MAPD, MAPC, MAPTI, MAPI, INV, MOVALL, DISCARD } = commands;
/** QEMU traces a processor's number, which stands at [47:16] of the field. */
const RDBASE_UNIT = 0x1_0000;

/** Under the names of QEMU's trace. */
const OPERANDS: Readonly<Record<string, Operands>> = {
  MOVI: { devid: MOVI.DeviceID, eventid: MOVI.EventID, icid: MOVI.ICID },
  INT: { devid: INT.DeviceID, eventid: INT.EventID },
  CLEAR: { devid: CLEAR.DeviceID, eventid: CLEAR.EventID },
  MAPD: { devid: MAPD.DeviceID, size: MAPD.Size, itt_pa: MAPD.ITT_addr, v: MAPD.V },
  MAPC: { icid: MAPC.ICID, rdbase: (words) => MAPC.RDbase(words) / RDBASE_UNIT, v: MAPC.V },
  MAPTI: { devid: MAPTI.DeviceID, eventid: MAPTI.EventID, icid: MAPTI.ICID, intid: MAPTI.pINTID },
  MAPI: { devid: MAPI.DeviceID, eventid: MAPI.EventID, icid: MAPI.ICID },
  INV: { devid: INV.DeviceID, eventid: INV.EventID },
  MOVALL: {
    rd1: (words) => MOVALL.RDbase1(words) / RDBASE_UNIT,
    rd2: (words) => MOVALL.RDbase2(words) / RDBASE_UNIT,
  },
  DISCARD: { devid: DISCARD.DeviceID, eventid: DISCARD.EventID },
};

export function commandName(words: Uint32Array): string {
  const number = commands.commandNumber(words);
  return commands.COMMAND_NAMES[number] ?? `command 0x${number.toString(16)}`;
}

/** `MAPD devid 0x8, size 0x0, itt_pa 0x482e7e00, v 0x1` */
export function decodedText(words: Uint32Array): string {
  const name = commandName(words);
  return text(name, (operand) => OPERANDS[name][operand](words));
}

/** The same of a traced command's fields. */
export function tracedText(fields: Readonly<Record<string, unknown>>): string {
  return text(String(fields.cmd), (operand) => Number(fields[operand]));
}

function text(name: string, valueOf: (operand: string) => number): string {
  const operands = Object.keys(OPERANDS[name] ?? {}).map((one) => `${one} 0x${valueOf(one).toString(16)}`);
  return [name, operands.join(', ')].join(' ').trimEnd();
}
