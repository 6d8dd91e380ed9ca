// SPDX-License-Identifier: Apache-2.0
// ITS commands: 32 bytes, as eight words. Arm IHI 0069, section 5.3 "ITS commands"; bit b of doubleword d is bit 64 * d + b.
// An RDbase is in place: the address of a redistributor where GITS_TYPER.PTA is 1, else its Processor_Number << 16.

import { addr, word } from '@irqkit/bits';

export const COMMAND_BYTES = 32;

/** The command number of any command. */
export const commandNumber = word(7, 0);

const DeviceID = word(63, 32);
const EventID = word(95, 64);
const pINTID = word(127, 96);
const vPEID = word(111, 96);
const ICID = word(143, 128);
const RDbase = addr(179, 144);
const V = word(191);

export const MOVI = { number: 0x01, DeviceID, EventID, ICID } as const;
export const INT = { number: 0x03, DeviceID, EventID } as const;
export const CLEAR = { number: 0x04, DeviceID, EventID } as const;
export const SYNC = { number: 0x05, RDbase } as const;
export const MAPD = {
  number: 0x08,
  DeviceID,
  /** EventID bits, minus one. */
  Size: word(68, 64),
  /** Address bits [51:8]. */
  ITT_addr: addr(179, 136),
  V,
} as const;
export const MAPC = { number: 0x09, ICID, RDbase, V } as const;
export const MAPTI = { number: 0x0a, DeviceID, EventID, pINTID, ICID } as const;
export const MAPI = { number: 0x0b, DeviceID, EventID, ICID } as const;
export const INV = { number: 0x0c, DeviceID, EventID } as const;
export const INVALL = { number: 0x0d, ICID } as const;
export const MOVALL = { number: 0x0e, RDbase1: RDbase, RDbase2: addr(243, 208) } as const;
export const DISCARD = { number: 0x0f, DeviceID, EventID } as const;

// GICv4 and GICv4.1
const Dbell_pINTID = word(191, 160);
export const VMOVI = { number: 0x21, DeviceID, EventID, vPEID, D: word(128), Dbell_pINTID } as const;
export const VMOVP = {
  number: 0x22,
  Sequence_Number: word(47, 32),
  ITSList: word(79, 64),
  vPEID,
  RDbase,
  DB: word(191),
  Default_Doorbell_pINTID: word(223, 192),
} as const;
export const VSGI = {
  number: 0x23,
  E: word(8),
  C: word(9),
  G: word(10),
  Priority: word(23, 20),
  vINTID: word(35, 32),
  vPEID,
} as const;
export const VSYNC = { number: 0x25, vPEID } as const;
export const VMAPP = {
  number: 0x29,
  Alloc: word(8),
  PTZ: word(9),
  VCONF_addr: addr(51, 16),
  Default_Doorbell_pINTID: word(95, 64),
  vPEID,
  RDbase,
  V,
  VPT_size: word(196, 192),
  VPT_addr: addr(243, 208),
} as const;
export const VMAPTI = { number: 0x2a, DeviceID, EventID, vPEID, vINTID: word(159, 128), Dbell_pINTID } as const;
export const VMAPI = { number: 0x2b, DeviceID, EventID, vPEID, Dbell_pINTID } as const;
export const VINVALL = { number: 0x2d, vPEID } as const;
export const INVDB = { number: 0x2e, vPEID } as const;

/** Names by command number; sparse. */
export const COMMAND_NAMES: readonly (string | undefined)[] = Object.entries({
  MOVI,
  INT,
  CLEAR,
  SYNC,
  MAPD,
  MAPC,
  MAPTI,
  MAPI,
  INV,
  INVALL,
  MOVALL,
  DISCARD,
  VMOVI,
  VMOVP,
  VSGI,
  VSYNC,
  VMAPP,
  VMAPTI,
  VMAPI,
  VINVALL,
  INVDB,
}).reduce<(string | undefined)[]>((names, [name, { number }]) => {
  names[number] = name;
  return names;
}, []);
