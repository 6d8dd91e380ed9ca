// SPDX-License-Identifier: Apache-2.0
// From an address to its leaf, table by table. Arm DDI 0487, chapter D8, "Translation process"; at each descriptor the faults
// are looked for in the order of "Memory aborts": external abort, translation, address size, access flag, permission.

import { alignedTo, DESCRIPTOR, LAST_LEVEL, POWERS, STAGE1, STAGE2 } from '../descriptors.js';
import { neededPerm, stage1Perms, stage2Perms } from './permissions.js';
import type { Regime } from './regime.js';
import { WALK_FAULT } from './walk-result.js';
import type { WalkResult } from './walk-result.js';

/** Reads one aligned doubleword, low word first; false where that is an external abort. `Dma.load64` is one. */
export type FetchDescriptor = (pa: number, into: Uint32Array) => boolean;

/**
 * Stage 2 for the address of a stage 1 descriptor, a read: the physical address, or a negative number where it faults; which
 * fault it was stays with the caller.
 */
export type TranslateTable = (ipa: number) => number;

/**
 * Looks an address up, by its bits [63:32] and [31:0] as 32-bit integers of either sign. `access`: WALK_ACCESS bits. Fills
 * `result` and gives its `fault`. Never throws, whatever the tables hold.
 */
export type Walk = (regime: Regime, addressHi: number, addressLo: number, access: number, result: WalkResult) => number;

/** `translateTable` makes stage 1 walks nested; stage 2 walks never use it. */
export function createWalker(fetch: FetchDescriptor, translateTable?: TranslateTable): Walk {
  const descriptor = new Uint32Array(2);
  /** The attributes of the table descriptors on the way, or-ed. */
  const tables = new Uint32Array(2);

  const leaf = (regime: Regime, bits: number, access: number, result: WalkResult): number => {
    result.leafBytes = POWERS[bits];
    if (regime.stage === 1) {
      result.perms = stage1Perms(regime, descriptor, tables);
      result.memAttr = STAGE1.AttrIndx(descriptor);
      result.notGlobal = STAGE1.nG(descriptor) === 1;
    } else {
      result.perms = stage2Perms(regime, descriptor);
      result.memAttr = STAGE2.MemAttr(descriptor);
      result.notGlobal = false;
    }
    result.shareability = STAGE1.SH(descriptor);
    // UNIMP: hardware update of the Access flag and dirty state (FEAT_HAFDBS)
    if (regime.accessFlagFaults && STAGE1.AF(descriptor) === 0) return WALK_FAULT.ACCESS_FLAG;
    return (result.perms & neededPerm(access)) === 0 ? WALK_FAULT.PERMISSION : WALK_FAULT.NONE;
  };

  return (regime, addressHi, addressLo, access, result) => {
    const { stage, pageBits, indexBits } = regime;
    result.level = 0;
    const mustBe = regime.upper ? -1 : 0;
    if ((((addressHi ^ mustBe) & regime.outsideHi) | ((addressLo ^ mustBe) & regime.outsideLo)) !== 0)
      return (result.fault = WALK_FAULT.TRANSLATION);
    const outputEnd = POWERS[regime.outputBits];
    let table = regime.ttb;
    if (table >= outputEnd) return (result.fault = WALK_FAULT.ADDRESS_SIZE);
    tables[1] = 0;
    let bits = regime.startBits;
    let index = addressBits(addressHi, addressLo, bits, regime.inputBits - bits);
    for (let level = regime.startLevel; ; level++) {
      result.level = level;
      const at = table + index * DESCRIPTOR.bytes;
      result.descriptorAddress = at;
      const pa = translateTable !== undefined && stage === 1 ? translateTable(at) : at;
      if (pa < 0) return (result.fault = WALK_FAULT.TABLE);
      // UNIMP: big-endian tables
      if (!fetch(pa, descriptor)) return (result.fault = WALK_FAULT.EXTERNAL_ABORT);
      const isTable = level !== LAST_LEVEL && DESCRIPTOR.Type(descriptor) === 1;
      if (DESCRIPTOR.Valid(descriptor) === 0 || !(isTable || isLeaf(regime, descriptor, level)))
        return (result.fault = WALK_FAULT.TRANSLATION);
      const output = outputAddress(regime, descriptor, isTable ? pageBits : bits);
      result.pa = isTable ? output : output + offset(addressHi, addressLo, bits);
      if (output >= outputEnd) return (result.fault = WALK_FAULT.ADDRESS_SIZE);
      if (!isTable) return (result.fault = leaf(regime, bits, access, result));
      if (!regime.hierarchyDisabled) tables[1] |= descriptor[1];
      table = output;
      bits -= indexBits;
      index = addressBits(addressHi, addressLo, bits, indexBits);
    }
  };
}

/** A page at the last level, a block above it where the granule has one. */
function isLeaf(regime: Regime, descriptor: Uint32Array, level: number): boolean {
  const type = DESCRIPTOR.Type(descriptor);
  return level === LAST_LEVEL ? type === 1 : type === 0 && ((regime.leafLevels >>> level) & 1) === 1;
}

/** The address in a descriptor, as far as it is a multiple of 2^bits. */
function outputAddress(regime: Regime, descriptor: Uint32Array, bits: number): number {
  const low = alignedTo(bits, DESCRIPTOR.OutputAddress(descriptor));
  return regime.largeAddresses ? DESCRIPTOR.OutputAddress_51_48(descriptor) * POWERS[48] + low : low;
}

/** `count` bits of a 64-bit address from bit `from` (12 or more) up, `count` being less than 32. */
function addressBits(hi: number, lo: number, from: number, count: number): number {
  const bits = from >= 32 ? hi >>> (from - 32) : (lo >>> from) | (hi << (32 - from));
  return bits & ((1 << count) - 1);
}

/** The `bits` low bits of a 64-bit address. */
function offset(hi: number, lo: number, bits: number): number {
  if (bits < 32) return lo & ((1 << bits) - 1);
  return (hi & ((1 << (bits - 32)) - 1)) * POWERS[32] + (lo >>> 0);
}
