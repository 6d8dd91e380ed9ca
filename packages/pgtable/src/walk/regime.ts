// SPDX-License-Identifier: Apache-2.0
// What registers say of a translation, made ready for walks: once for each configuration, not for each access. Arm DDI 0487,
// chapter D8, "Translation process".

import {
  entryBits,
  GRANULES,
  HIGH_WORD_OF,
  isLeafLevel,
  isStage2StartLevel,
  LOG2_MAX_CONCATENATED,
  naturalStartLevel,
} from '../descriptors.js';
import { permsOf } from './permissions.js';

/** Decoded register fields. */
export interface RegimeOptions {
  readonly stage: 1 | 2;
  /** TG0, TG1 or S2TG in bytes. */
  readonly granuleBytes: number;
  /** 64 - TxSZ. */
  readonly inputBits: number;
  /** Stage 2: from SL0, by `stage2StartLevel`. Stage 1 has it from the input size, whatever stands here. */
  readonly startLevel?: number;
  /** The base address, in bytes; bits below the alignment of the first table are taken as zero. */
  readonly ttb: number;
  /** The effective output size: IPS or S2PS in bits, no more than the implementation has. */
  readonly outputBits: number;
  /** What the implementation has: with 52, descriptors of the 64 KiB granule hold 52-bit addresses. `outputBits` where left out. */
  readonly paBits?: number;
  /** TTB1: all address bits above the input size are ones. */
  readonly upper?: boolean;
  /** TBI: address bits [63:56] do not matter. */
  readonly tbi?: boolean;
  /** A leaf whose AF is 0 faults: AFFD is 0. True where it is left out. */
  readonly accessFlagFaults?: boolean;
  /** Stage 1, HPD: APTable, XNTable and PXNTable do not matter. */
  readonly hierarchyDisabled?: boolean;
  /** Stage 1, WXN: what can be written is not executed. */
  readonly wxn?: boolean;
  /** Stage 1, PAN: privileged data accesses to what unprivileged ones can reach fault. */
  readonly pan?: boolean;
  /** Stage 1 with one privilege level (EL2 without E2H, EL3): AP[1], APTable[0] and PXN do not matter. */
  readonly onePrivilege?: boolean;
  /** Stage 2: XN has two bits (FEAT_XNX). */
  readonly xnx?: boolean;
}

/** A regime ready to be walked: what `createRegime` made of its options. Words are 32-bit integers of either sign. */
export interface Regime extends Required<RegimeOptions> {
  readonly pageBits: number;
  readonly indexBits: number;
  /** Address bits below an entry of the first table. */
  readonly startBits: number;
  /** What cuts an index into the first table, and into the others, to its bits. */
  readonly startMask: number;
  readonly indexMask: number;
  /** A bit for each level whose entries may be leaves. */
  readonly leafLevels: number;
  readonly largeAddresses: boolean;
  readonly ttbHi: number;
  readonly ttbLo: number;
  /** Address bits [63:32] and [31:0] that must all be as `upper` says: as in `upperWord`. */
  readonly outsideHi: number;
  readonly outsideLo: number;
  readonly upperWord: number;
  /** Bits [63:32] and [31:0] of addresses that the output size excludes. */
  readonly beyondHi: number;
  readonly beyondLo: number;
  /** The bits of table descriptors' high words that matter below. */
  readonly hierarchyMask: number;
  /** Where its permissions begin in PERMS. */
  readonly permsAt: number;
}

/**
 * Undefined where the architecture has no such translation: an unknown granule, an input size that it cannot have, or, at
 * stage 2, one that does not go with the start level.
 */
export function createRegime(options: RegimeOptions): Regime | undefined {
  const { stage, granuleBytes, inputBits, outputBits, paBits = outputBits, upper = false, tbi = false } = options;
  const granule = GRANULES[granuleBytes];
  if (granule === undefined || inputBits > granule.addressBits || inputBits <= granule.pageBits) return undefined;
  const startLevel = stage === 1 ? naturalStartLevel(granule, inputBits) : options.startLevel;
  if (startLevel === undefined || !(startLevel >= granule.firstLevel)) return undefined;
  const startBits = entryBits(granule, startLevel);
  const resolved = inputBits - startBits;
  const mostResolved = granule.indexBits + (stage === 2 ? LOG2_MAX_CONCATENATED : 0);
  if (resolved < 1 || resolved > mostResolved) return undefined;
  const largeAddresses = granule.addressBits > 48 && paBits > 48;
  const tableBytes = 2 ** (resolved + 3);
  const alignment = largeAddresses && outputBits > 48 ? Math.max(tableBytes, 64) : tableBytes;
  const ttb = options.ttb - (options.ttb % alignment);
  const hierarchyDisabled = options.hierarchyDisabled ?? false;
  // All of one shape, which walks are the faster for: no spread.
  return {
    stage,
    granuleBytes,
    inputBits,
    startLevel,
    ttb,
    outputBits,
    paBits,
    upper,
    tbi,
    accessFlagFaults: options.accessFlagFaults ?? true,
    hierarchyDisabled,
    wxn: options.wxn ?? false,
    pan: options.pan ?? false,
    onePrivilege: options.onePrivilege ?? false,
    xnx: options.xnx ?? false,
    pageBits: granule.pageBits,
    indexBits: granule.indexBits,
    startBits,
    startMask: (1 << resolved) - 1,
    indexMask: (1 << granule.indexBits) - 1,
    leafLevels: [0, 1, 2, 3].reduce((bits, level) => bits | (Number(isLeafLevel(granule, level, paBits)) << level), 0),
    largeAddresses,
    ttbHi: (ttb * HIGH_WORD_OF) | 0,
    ttbLo: ttb | 0,
    outsideHi: highBitsFrom(inputBits) & (tbi ? 0x00ff_ffff : -1),
    outsideLo: lowBitsFrom(inputBits),
    upperWord: upper ? -1 : 0,
    beyondHi: highBitsFrom(outputBits),
    beyondLo: lowBitsFrom(outputBits),
    hierarchyMask: hierarchyDisabled ? 0 : -1,
    permsAt: permsOf(options),
  };
}

/** Bits [63:n] of an address: those that are in its bits [63:32], ... */
function highBitsFrom(n: number): number {
  return n >= 32 ? -1 << (n - 32) : -1;
}

/** ... and those in its bits [31:0]. */
function lowBitsFrom(n: number): number {
  return n >= 32 ? 0 : -1 << n;
}

/** The level that VTCR_EL2.SL0, or STE.S2SL0, selects; undefined where it selects none, physical addresses having `paBits`. */
export function stage2StartLevel(granuleBytes: number, sl0: number, paBits: number): number | undefined {
  const granule = GRANULES[granuleBytes];
  if (granule === undefined || sl0 > 2) return undefined;
  const level = (granule.pageBits === 12 ? 2 : 3) - sl0;
  return isStage2StartLevel(granule, level, paBits) ? level : undefined;
}
