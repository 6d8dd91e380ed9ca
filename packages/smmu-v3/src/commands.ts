// SPDX-License-Identifier: Apache-2.0
// SMMUv3 commands: 16 bytes, as four words. Arm IHI 0070, chapter 4 "Commands". Those of the Secure state beyond SSec and of
// EL3 are here by number alone.

import { addr, word } from '@irqkit/bits';

export const COMMAND_BYTES = 16;

/** The opcode of any command. */
export const commandOpcode = word(7, 0);
/** Set in a command that is for the Secure state: illegal in the Non-secure queue. */
export const SSec = word(10);

const SSV = word(11);
const SubstreamID = word(31, 12);
const StreamID = word(63, 32);
const VMID = word(47, 32);
const ASID = word(63, 48);
const Leaf = word(64);
/** Address bits [51:12] in place. An address from 2^52 up has the rest in `AddressHigh`. */
const Address = addr(115, 76);
/** Address bits [63:32]. */
const AddressHigh = word(127, 96);

const RANGE = {
  NUM: word(16, 12),
  SCALE: word(25, 20),
  Leaf,
  TTL: word(73, 72),
  TG: word(75, 74),
  Address,
  AddressHigh,
} as const;

export const CMD_PREFETCH_CONFIG = { opcode: 0x01, SSec, SSV, SubstreamID, StreamID } as const;
export const CMD_PREFETCH_ADDR = {
  opcode: 0x02,
  SSec,
  SSV,
  SubstreamID,
  StreamID,
  Size: word(68, 64),
  Address,
  AddressHigh,
} as const;
export const CMD_CFGI_STE = { opcode: 0x03, SSec, StreamID, Leaf } as const;
/** With a Range of 31: CMD_CFGI_ALL. */
export const CMD_CFGI_STE_RANGE = { opcode: 0x04, SSec, StreamID, Range: word(68, 64) } as const;
export const CMD_CFGI_CD = { opcode: 0x05, SSec, SubstreamID, StreamID, Leaf } as const;
export const CMD_CFGI_CD_ALL = { opcode: 0x06, SSec, StreamID } as const;
export const CMD_CFGI_VMS_PIDM = { opcode: 0x07, SSec, VMID } as const;
export const CMD_TLBI_NH_ALL = { opcode: 0x10, VMID } as const;
export const CMD_TLBI_NH_ASID = { opcode: 0x11, VMID, ASID } as const;
export const CMD_TLBI_NH_VA = { opcode: 0x12, VMID, ASID, ...RANGE } as const;
export const CMD_TLBI_NH_VAA = { opcode: 0x13, VMID, ...RANGE } as const;
export const CMD_TLBI_EL3_ALL = { opcode: 0x18 } as const;
export const CMD_TLBI_EL3_VA = { opcode: 0x1a } as const;
export const CMD_TLBI_EL2_ALL = { opcode: 0x20 } as const;
export const CMD_TLBI_EL2_ASID = { opcode: 0x21, ASID } as const;
export const CMD_TLBI_EL2_VA = { opcode: 0x22, ASID, ...RANGE } as const;
export const CMD_TLBI_EL2_VAA = { opcode: 0x23, ...RANGE } as const;
export const CMD_TLBI_S12_VMALL = { opcode: 0x28, VMID } as const;
export const CMD_TLBI_S2_IPA = { opcode: 0x2a, VMID, ...RANGE } as const;
export const CMD_TLBI_NSNH_ALL = { opcode: 0x30 } as const;
export const CMD_ATC_INV = {
  opcode: 0x40,
  Global: word(9),
  SSec,
  SSV,
  SubstreamID,
  StreamID,
  Size: word(69, 64),
  Address,
  AddressHigh,
} as const;
export const CMD_PRI_RESP = {
  opcode: 0x41,
  SSec,
  SSV,
  SubstreamID,
  StreamID,
  PRGIndex: word(72, 64),
  Resp: word(77, 76),
} as const;
/** Ac and Ab: what becomes of the stalled transaction: retried where Ac is 1, else aborted where Ab is 1. */
export const CMD_RESUME = {
  opcode: 0x44,
  SSec,
  Ac: word(12),
  Ab: word(13),
  StreamID,
  STAG: word(79, 64),
} as const;
export const CMD_STALL_TERM = { opcode: 0x45, SSec, StreamID } as const;
export const CMD_SYNC = {
  opcode: 0x46,
  CS: word(13, 12),
  MSH: word(23, 22),
  MSIAttr: word(27, 24),
  MSIData: word(63, 32),
  MSIAddress: addr(115, 66),
} as const;
/** Of the Secure queue: illegal in the Non-secure one. */
export const CMD_TLBI_SNH_ALL = { opcode: 0x60 } as const;

/** CMD_SYNC.CS */
export const SYNC_CS = { NONE: 0b00, IRQ: 0b01, SEV: 0b10 } as const;
/** TG of a TLBI by address: the granule in log2 bytes; 0 where it is any, and NUM, SCALE and TTL mean nothing. */
export const TLBI_TG_LOG2 = [0, 12, 14, 16] as const;
/** TG of a TLBI by address. */
export const TLBI_TG = { ANY: 0b00, KIB4: 0b01, KIB16: 0b10, KIB64: 0b11 } as const;
/** CMD_CFGI_STE_RANGE.Range of CMD_CFGI_ALL. */
export const RANGE_ALL = 31;

/** Names by opcode; sparse. */
export const COMMAND_NAMES: readonly (string | undefined)[] = Object.entries({
  CMD_PREFETCH_CONFIG,
  CMD_PREFETCH_ADDR,
  CMD_CFGI_STE,
  CMD_CFGI_STE_RANGE,
  CMD_CFGI_CD,
  CMD_CFGI_CD_ALL,
  CMD_CFGI_VMS_PIDM,
  CMD_TLBI_NH_ALL,
  CMD_TLBI_NH_ASID,
  CMD_TLBI_NH_VA,
  CMD_TLBI_NH_VAA,
  CMD_TLBI_EL3_ALL,
  CMD_TLBI_EL3_VA,
  CMD_TLBI_EL2_ALL,
  CMD_TLBI_EL2_ASID,
  CMD_TLBI_EL2_VA,
  CMD_TLBI_EL2_VAA,
  CMD_TLBI_S12_VMALL,
  CMD_TLBI_S2_IPA,
  CMD_TLBI_NSNH_ALL,
  CMD_ATC_INV,
  CMD_PRI_RESP,
  CMD_RESUME,
  CMD_STALL_TERM,
  CMD_SYNC,
  CMD_TLBI_SNH_ALL,
}).reduce<(string | undefined)[]>((names, [name, { opcode }]) => {
  names[opcode] = name;
  return names;
}, []);
