// SPDX-License-Identifier: Apache-2.0
// TLB invalidation by address: a command for each page, or a few for ranges where IDR3.RIL says so. IHI 0070, section 4.4.1.1
// "Range-based invalidation"; how ranges are cut: the behaviour of Linux 6.1. Nothing here allocates.

import { highWord } from '@irqkit/bits';
import { CMD_TLBI_NH_VA } from '../commands.js';
import type { CommandQueue } from './command-queue.js';

/** CMD_TLBI_S2_IPA has these fields in the same places. */
const { Leaf, TTL, TG, NUM, SCALE, Address } = CMD_TLBI_NH_VA;
/** Of NUM. @linux CMDQ_TLBI_RANGE_NUM_MAX */
const NUM_VALUES = 32;

/**
 * Adds the commands for [first, first + sizeBytes) to the open batch. `command` has its opcode and ASID or VMID. `pageBytes` is what
 * one entry maps; `leaf`: tables are as they were, only last-level entries went.
 * @linux __arm_smmu_tlb_inv_range
 */
export function addByPage(
  queue: CommandQueue,
  command: Uint32Array,
  first: number,
  sizeBytes: number,
  pageBytes: number,
  leaf: boolean,
): void {
  Leaf.put(command, leaf ? 1 : 0);
  for (let address = first; address < first + sizeBytes; address += pageBytes) {
    Address.put(command, address);
    queue.add(command);
  }
}

/**
 * As addByPage. `granuleLog2`: the smallest page of the domain. `level`: that of every entry in the range, 0 where it is not
 * known. @linux __arm_smmu_tlb_inv_range
 */
export function addByRange(
  queue: CommandQueue,
  command: Uint32Array,
  first: number,
  sizeBytes: number,
  granuleLog2: number,
  leaf: boolean,
  level: number,
): void {
  let nrPages = sizeBytes / 2 ** granuleLog2;
  Leaf.put(command, leaf ? 1 : 0);
  TG.put(command, (granuleLog2 - 10) / 2);
  TTL.put(command, level);
  // NUM and SCALE must not both be 0 without a level. 4.4.1.1
  if (level === 0 && nrPages % NUM_VALUES === 1) nrPages++;
  for (let address = first; address < first + sizeBytes;) {
    const scale = trailingZeros(nrPages);
    const unit = 2 ** scale;
    const nrUnits = (nrPages / unit) % NUM_VALUES;
    const covered = nrUnits * unit;
    SCALE.put(command, scale);
    NUM.put(command, nrUnits - 1);
    Address.put(command, address);
    queue.add(command);
    nrPages -= covered;
    address += covered * 2 ** granuleLog2;
  }
}

/** The level whose entries map `pageBytes`; 3 is the last. */
export function levelOf(pageBytes: number, granuleLog2: number): number {
  return 4 - Math.floor((Math.log2(pageBytes) - 3) / (granuleLog2 - 3));
}

/** Of an integer from 1 up to 2^53. */
function trailingZeros(value: number): number {
  const low = (value % 0x1_0000_0000) | 0;
  if (low !== 0) return 31 - Math.clz32(low & -low);
  const high = highWord(value);
  return 63 - Math.clz32(high & -high);
}
