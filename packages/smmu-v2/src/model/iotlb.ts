// SPDX-License-Identifier: Apache-2.0
// Translations that are remembered: 4 KiB pages by context bank, direct-mapped, four words each. Arm IHI 0062, "TLB maintenance
// operations". An entry: VA[43:12]; then VA[47:44], whether VA is an upper one, and the bank; PA[43:12]; flags with PA[47:44].

import { field } from '@irqkit/bits';

/** The fourth word of an entry. */
export const ENTRY = {
  PA_47_44: field(3, 0),
  /** WALK_PERM bits of all stages together. */
  perms: field(13, 8),
  /** Of the stage 1 leaf, or that of stage 2 alone, log2 of its bytes. */
  log2Leaf: field(19, 14),
  /** Any ASID of the VMID. */
  global: field(20),
} as const;

/** What the entries of a bank hold. */
export const OWNER_KIND = { STAGE1: 0, NESTED: 1, STAGE2: 2 } as const;

const UPPER = 1 << 4;
const BANK_SHIFT = 5;
const FIRST_LOG2 = 10;

/** Of the lower half of the addresses that a bank translates, with VA[47:44] of 0; no bank's is 0. */
export function tagOf(bank: number): number {
  return (bank + 1) << BANK_SHIFT;
}

/** Where an entry stands, before it is cut to the size of the array. */
export function hashOf(page: number, tag: number): number {
  return page ^ (page >>> 9) ^ (Math.imul(tag >>> BANK_SHIFT, 0x9e37_79b1) >>> 7);
}

/** An entry's second word: `tag` with what `hi`, bits [63:32] of the address, adds. */
export function entryTag(tag: number, upper: boolean, hi: number): number {
  return tag | (upper ? UPPER : 0) | ((hi >>> 12) & 0xf);
}

/** What is to go. `asid` and `vmid` of -1 are any; `last` below `first` is every address. */
export interface Invalidation {
  /** Sums of 1 << OWNER_KIND. */
  readonly kinds: number;
  readonly vmid: number;
  readonly asid: number;
  /** Address bits [47:0] of the first byte and of the last one. */
  readonly first: number;
  readonly last: number;
  readonly upper: boolean;
}

/**
 * Entries are found by bank, and hold while the bank's kind, VMID and ASID stand; operations name them by these. Banks that share a
 * VMID and an ASID share no entries, which they might.
 */
export class Iotlb {
  /** Read by the fast path. */
  entries: Int32Array;
  readonly #maxLength: number;
  readonly #kinds: Int32Array;
  readonly #vmids: Int32Array;
  readonly #asids: Int32Array;
  /** Live entries that others displaced since the array grew last. */
  #displaced = 0;
  #empty = true;
  /** True while an entry may be of a larger leaf than its page, or of any ASID. */
  #wide = false;

  constructor(log2Entries: number, nrBanks: number) {
    this.#maxLength = 4 * 2 ** log2Entries;
    this.entries = new Int32Array(4 * 2 ** Math.min(FIRST_LOG2, log2Entries));
    this.#kinds = new Int32Array(nrBanks).fill(-1);
    this.#vmids = new Int32Array(nrBanks);
    this.#asids = new Int32Array(nrBanks);
  }

  /** Says what the entries of a bank are from now on; forgets those that were of something else. */
  own(bank: number, kind: number, vmid: number, asid: number): void {
    if (this.#kinds[bank] === kind && this.#vmids[bank] === vmid && this.#asids[bank] === asid) return;
    if (this.#kinds[bank] >= 0) this.#dropBank(bank);
    this.#kinds[bank] = kind;
    this.#vmids[bank] = vmid;
    this.#asids[bank] = asid;
  }

  /** `page` and `tag` are an entry's first words, `flags` its fourth without the address. */
  add(page: number, tag: number, pa: number, flags: number): void {
    let at = this.#indexOf(page, tag);
    const former = this.entries[at + 1];
    const displaces = former !== 0 && (this.entries[at] !== page || former !== tag);
    if (displaces && ++this.#displaced * 16 > this.entries.length && this.entries.length < this.#maxLength) {
      this.#grow();
      at = this.#indexOf(page, tag);
    }
    this.#empty = false;
    if (ENTRY.log2Leaf(flags) > 12 || ENTRY.global(flags) === 1) this.#wide = true;
    this.entries[at] = page;
    this.entries[at + 1] = tag;
    this.entries[at + 2] = (pa * 2 ** -12) | 0;
    this.entries[at + 3] = flags | ((pa * 2 ** -44) & 0xf);
  }

  dropAll(): void {
    if (!this.#empty) this.entries.fill(0);
    this.#empty = true;
    this.#wide = false;
    this.#displaced = 0;
  }

  /** Costs what the entries are; what the banks are, for an address and leaves of one page. */
  drop(what: Invalidation): void {
    if (this.#empty) return;
    if (what.last - what.first !== 0xfff || this.#wide) return this.#scan(what);
    for (let bank = 0; bank < this.#kinds.length; bank++)
      if (this.#isOf(bank, what) && (what.asid < 0 || this.#asids[bank] === what.asid)) this.#dropPage(bank, what);
  }

  #dropPage(bank: number, { first, upper }: Invalidation): void {
    const page = (first * 2 ** -12) | 0;
    const tag = entryTag(tagOf(bank), upper, (first * 2 ** -32) | 0);
    const at = this.#indexOf(page, tag);
    if (this.entries[at] === page && this.entries[at + 1] === tag) clear(this.entries, at);
  }

  #isOf(bank: number, { kinds, vmid }: Invalidation): boolean {
    return ((kinds >>> this.#kinds[bank]) & 1) === 1 && (vmid < 0 || this.#vmids[bank] === vmid);
  }

  #scan(what: Invalidation): void {
    const { asid, first, last, upper } = what;
    const { entries } = this;
    for (let at = 0; at < entries.length; at += 4) {
      const tag = entries[at + 1];
      if (tag === 0) continue;
      const bank = (tag >>> BANK_SHIFT) - 1;
      if (!this.#isOf(bank, what)) continue;
      const flags = entries[at + 3];
      if (asid >= 0 && this.#asids[bank] !== asid && ENTRY.global(flags) === 0) continue;
      if (first <= last && !touches(entries[at], tag, flags, first, last, upper)) continue;
      clear(entries, at);
    }
  }

  #dropBank(bank: number): void {
    const { entries } = this;
    for (let at = 0; at < entries.length; at += 4) if (entries[at + 1] >>> BANK_SHIFT === bank + 1) clear(entries, at);
  }

  #indexOf(page: number, tag: number): number {
    return (hashOf(page, tag) << 2) & (this.entries.length - 4);
  }

  #grow(): void {
    const former = this.entries;
    this.entries = new Int32Array(former.length * 2);
    this.#displaced = 0;
    for (let at = 0; at < former.length; at += 4) {
      if (former[at + 1] === 0) continue;
      const to = this.#indexOf(former[at], former[at + 1]);
      for (let i = 0; i < 4; i++) this.entries[to + i] = former[at + i];
    }
  }
}

function clear(entries: Int32Array, at: number): void {
  entries[at] = 0;
  entries[at + 1] = 0;
  entries[at + 3] = 0;
}

function touches(page: number, tag: number, flags: number, first: number, last: number, upper: boolean): boolean {
  if (((tag & UPPER) !== 0) !== upper) return false;
  const leaf = 2 ** ENTRY.log2Leaf(flags);
  const address = (tag & 0xf) * 2 ** 44 + (page >>> 0) * 2 ** 12;
  const start = address - (address % leaf);
  return start <= last && start + leaf > first;
}
