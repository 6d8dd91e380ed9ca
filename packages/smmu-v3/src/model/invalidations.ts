// SPDX-License-Identifier: Apache-2.0
// What the TLBI commands drop. Arm IHI 0070, section 4.4; TTL and Leaf narrow what must go, not what does.

import { CMD_TLBI_NH_VA, TLBI_TG_LOG2 } from '../commands.js';
import { CERROR } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import type { Invalidation, Iotlb } from './iotlb.js';
import { SPACE_KIND } from './stream-context.js';

export const STAGE1_KINDS = (1 << SPACE_KIND.STAGE1) | (1 << SPACE_KIND.NESTED);
export const STAGE2_KIND = 1 << SPACE_KIND.STAGE2;
export const NESTED_KIND = 1 << SPACE_KIND.NESTED;
export const EL2_KINDS = (1 << SPACE_KIND.EL2) | (1 << SPACE_KIND.EL2_E2H);

const { NUM, SCALE, TTL, TG, Address, AddressHigh } = CMD_TLBI_NH_VA;
/** VA[55] in AddressHigh. */
const UPPER = 1 << 23;
const PAGE_BYTES = 0x1000;

export class Invalidations {
  /** CR0.VMW */
  vmidWildcard = 0;
  readonly #iotlb: Iotlb;
  readonly #parameters: SmmuParameters;
  readonly #what: Invalidation = { kinds: 0, vmidMask: 0, vmid: 0, asid: -1, first: 0, last: -1, upper: false };

  constructor(iotlb: Iotlb, parameters: SmmuParameters) {
    this.#iotlb = iotlb;
    this.#parameters = parameters;
  }

  /** Everything of these kinds; of all VMIDs where `vmid` is -1, of all ASIDs where `asid` is. */
  all(kinds: number, vmid = -1, asid = -1): number {
    this.#select(kinds, vmid, asid);
    this.#what.first = 0;
    this.#what.last = -1;
    this.#iotlb.drop(this.#what);
    return CERROR.NONE;
  }

  /**
   * What the command's address, or its range, touches. The reserved range of one granule without a level is CERROR_ILL
   * (section 4.4.1.1), and what it names goes nevertheless: more may always be dropped.
   */
  byAddress(command: Uint32Array, kinds: number, vmid = -1, asid = -1): number {
    this.#select(kinds, vmid, asid);
    const what = this.#what;
    const log2Granule = this.#parameters.ril ? TLBI_TG_LOG2[TG(command)] : 0;
    const bytes =
      log2Granule === 0 ? PAGE_BYTES : (NUM(command) + 1) * 2 ** (Math.min(SCALE(command), 39) + log2Granule);
    what.first = Address(command);
    what.last = what.first + bytes - 1;
    what.upper = (AddressHigh(command) & UPPER) !== 0;
    this.#iotlb.drop(what);
    return log2Granule !== 0 && isReserved(command, log2Granule) ? CERROR.ILL : CERROR.NONE;
  }

  #select(kinds: number, vmid: number, asid: number): void {
    const what = this.#what;
    const matched = vmid >= 0 && this.#parameters.s2p;
    what.kinds = kinds;
    // VMIDs are tags only where there is stage 2 (section 4.4.2).
    what.vmid = matched ? vmid : 0;
    what.vmidMask = matched ? 0xffff & (-1 << this.vmidWildcard) : vmid >= 0 ? 0xffff : 0;
    what.asid = asid;
  }
}

function isReserved(command: Uint32Array, log2Granule: number): boolean {
  const level = log2Granule === 14 && TTL(command) === 1 ? 0 : TTL(command);
  return NUM(command) === 0 && SCALE(command) === 0 && level === 0;
}
