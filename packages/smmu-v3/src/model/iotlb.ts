// SPDX-License-Identifier: Apache-2.0
// Translations that are remembered: 4 KiB pages by address space, direct-mapped, four words each. Arm IHI 0070, sections
// 3.17 and 16.2. An entry: VA[43:12]; then VA[51:44], VA[55] and the space; PA[43:12]; then flags with PA[51:44].

import { TRANSLATION } from '@irqkit/pgtable/walk';
import { SPACE_KIND } from './stream-context.js';

/** The fourth word of an entry: of all stages together; the leaf is that of stage 1, or of stage 2 alone. */
export const ENTRY = TRANSLATION;

/** The space in an entry's second word stands above VA[55] and VA[51:44]. */
export const SPACE_SHIFT = 9;
const UPPER = 1 << 8;
/** Set where an entry is of a larger leaf than its page, or of any ASID: leafBits is 12 in no other bits than these. */
const WIDE = ENTRY.global.mask | (ENTRY.leafBits.mask & ~(12 << ENTRY.leafBits.lo));
const MAX_SPACES = 2 ** 20;
const FIRST_LOG2 = 10;

/** Where an entry stands, before it is cut to the size of the array. */
export function hashOf(page: number, space: number): number {
  return page ^ (page >>> 9) ^ (Math.imul(space, 0x9e37_79b1) >>> 7);
}

/** The fourth word of an entry, without the address. */
export function flagsOf(perms: number, leafBits: number, global: boolean): number {
  return (perms << ENTRY.perms.lo) | (leafBits << ENTRY.leafBits.lo) | (global ? ENTRY.global.mask : 0);
}

/** What is to go. A range of addresses has `first` and `last`; an `asid` of -1 is any. */
export interface Invalidation {
  /** Sums of 1 << SPACE_KIND. */
  kinds: number;
  /** Bits of the VMID that are compared; 0 for none. */
  vmidMask: number;
  vmid: number;
  asid: number;
  /** VA[51:0], both inside; `last` below `first` for all. */
  first: number;
  last: number;
  /** VA[55]. */
  upper: boolean;
}

const PA_HIGH = ENTRY.PA_51_44.mask;

export class Iotlb {
  /** Read by the fast path. */
  entries: Int32Array;
  readonly #maxLength: number;
  /** Spaces by kind, VMID and ASID; 0 is none. */
  readonly #spaces = new Map<number, number>();
  #kinds = new Uint8Array(64);
  #vmids = new Uint16Array(64);
  #asids = new Uint16Array(64);
  /** Live entries that others may yet displace before the array grows. */
  #patience = 0;
  /** Of all entries since there were none, or-ed. */
  #flags = 0;

  constructor(log2Entries: number) {
    this.#maxLength = 4 * 2 ** log2Entries;
    this.entries = new Int32Array(4 * 2 ** Math.min(FIRST_LOG2, log2Entries));
    this.dropAll();
  }

  /** The number of an address space, from 1. It stands until `reset`. */
  spaceOf(kind: number, vmid: number, asid: number): number {
    const key = spaceKey(kind, vmid, asid);
    const known = this.#spaces.get(key);
    if (known !== undefined) return known;
    const space = this.#spaces.size + 1;
    if (space >= this.#kinds.length) this.#growSpaces();
    this.#spaces.set(key, space);
    this.#kinds[space] = kind;
    this.#vmids[space] = vmid;
    this.#asids[space] = asid;
    return space;
  }

  /** True where `reset` must come before the next space. */
  get spacesFull(): boolean {
    return this.#spaces.size >= MAX_SPACES;
  }

  /** Where an entry stands, or would. */
  indexOf(page: number, space: number): number {
    return (hashOf(page, space) << 2) & (this.entries.length - 4);
  }

  /** Puts an entry where `indexOf` says. */
  add(page: number, tag: number, frame: number, flags: number): void {
    const at = this.indexOf(page, tag >>> SPACE_SHIFT);
    this.entries[at + 2] = frame;
    this.entries[at + 3] = flags;
    this.added(at, page, tag);
  }

  /** Makes an entry of what was put into the two last words at `at`, its `indexOf`; gives where it is, as the array may grow. */
  added(at: number, page: number, tag: number): number {
    const { entries } = this;
    const former = entries[at + 1];
    this.#flags |= entries[at + 3];
    entries[at] = page;
    entries[at + 1] = tag;
    if (former === 0 || --this.#patience >= 0) return at;
    this.#grow();
    return this.indexOf(page, tag >>> SPACE_SHIFT);
  }

  dropAll(): void {
    if (this.#flags !== 0) this.entries.fill(0);
    this.#flags = 0;
    this.#patience = this.entries.length / 16;
  }

  /** Forgets the spaces too, so that none of their numbers may stand anywhere. */
  reset(): void {
    this.dropAll();
    this.#spaces.clear();
  }

  /** Costs what the entries are, or the pages and spaces that are asked for. */
  drop(what: Invalidation): void {
    if (this.#flags === 0) return;
    const pages = (what.last - what.first + 1) / 0x1000;
    if (what.last < what.first || (this.#flags & WIDE) !== 0 || what.asid < 0 || what.vmidMask !== 0xffff || pages > 64)
      this.#scan(what);
    else this.#probe(what);
  }

  #probe({ kinds, vmid, asid, first, last, upper }: Invalidation): void {
    for (let kind = 0; kind <= SPACE_KIND.EL2_E2H; kind++) {
      if (((kinds >>> kind) & 1) === 0) continue;
      const space = this.#spaces.get(spaceKey(kind, vmid, asid));
      if (space === undefined) continue;
      for (let address = first; address <= last; address += 0x1000) {
        const page = (address * 2 ** -12) | 0;
        const tag = (space << SPACE_SHIFT) | (upper ? UPPER : 0) | (address * 2 ** -44);
        const at = this.indexOf(page, space);
        if (this.entries[at] === page && this.entries[at + 1] === tag) this.#clear(at);
      }
    }
  }

  #scan({ kinds, vmidMask, vmid, asid, first, last, upper }: Invalidation): void {
    const { entries } = this;
    const ranged = first <= last;
    for (let at = 0; at < entries.length; at += 4) {
      const tag = entries[at + 1];
      if (tag === 0) continue;
      const space = tag >>> SPACE_SHIFT;
      if (((kinds >>> this.#kinds[space]) & 1) === 0) continue;
      if (((this.#vmids[space] ^ vmid) & vmidMask) !== 0) continue;
      const flags = entries[at + 3];
      if (asid >= 0 && this.#asids[space] !== asid && ENTRY.global(flags) === 0) continue;
      if (ranged && !this.#touches(entries[at], tag, flags, first, last, upper)) continue;
      this.#clear(at);
    }
  }

  #touches(page: number, tag: number, flags: number, first: number, last: number, upper: boolean): boolean {
    if (((tag & UPPER) !== 0) !== upper) return false;
    const leaf = 2 ** ENTRY.leafBits(flags);
    const address = (tag & PA_HIGH) * 2 ** 44 + (page >>> 0) * 2 ** 12;
    const start = address - (address % leaf);
    return start <= last && start + leaf > first;
  }

  #clear(at: number): void {
    this.entries[at] = 0;
    this.entries[at + 1] = 0;
    this.entries[at + 3] = 0;
  }

  #grow(): void {
    const former = this.entries;
    this.#patience = former.length / 8;
    if (former.length === this.#maxLength) return;
    this.entries = new Int32Array(former.length * 2);
    for (let at = 0; at < former.length; at += 4) {
      if (former[at + 1] === 0) continue;
      const to = this.indexOf(former[at], former[at + 1] >>> SPACE_SHIFT);
      for (let i = 0; i < 4; i++) this.entries[to + i] = former[at + i];
    }
  }

  #growSpaces(): void {
    const kinds = new Uint8Array(this.#kinds.length * 2);
    const vmids = new Uint16Array(kinds.length);
    const asids = new Uint16Array(kinds.length);
    kinds.set(this.#kinds);
    vmids.set(this.#vmids);
    asids.set(this.#asids);
    this.#kinds = kinds;
    this.#vmids = vmids;
    this.#asids = asids;
  }
}

function spaceKey(kind: number, vmid: number, asid: number): number {
  return (kind * 0x1_0000 + vmid) * 0x1_0000 + asid;
}
