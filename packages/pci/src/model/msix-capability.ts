// SPDX-License-Identifier: Apache-2.0
// The MSI-X capability with its table and Pending Bit Array in BAR memory. PCI Express Base Specification 6.1.4, 7.7.2.

import type { AccessSize } from '@irqkit/core';
import { MSIX_ENTRY, MSIX_Message_Control, MSIX_PBA, MSIX_Table, MSIX_Vector_Control } from '../regs.js';
import type { ConfigRange, ConfigSpace } from './config-space.js';
import { restoreArray } from './saved-array.js';
import type { Upstream } from './upstream.js';

const ENTRY_WORDS = MSIX_ENTRY.bytes / 4;
const DATA_WORD = MSIX_ENTRY.Message_Data / 4;
const CONTROL_WORD = MSIX_ENTRY.Vector_Control / 4;
const ADDRESS_LIMIT_HIGH = 2 ** 20;
// CHOICE: the two low address bits, which software must write as zero, are not implemented.
const WRITABLE = [0xffff_fffc, 0xffff_ffff, 0xffff_ffff, MSIX_Vector_Control.Mask_Bit.mask] as const;

export class MsixCapability {
  readonly nrVectors: number;
  readonly #config: ConfigSpace;
  readonly #at: number;
  readonly #upstream: Upstream;
  readonly #table: Uint32Array;
  readonly #pending: Uint32Array;
  // Filled with undefined first, so that elements stay tagged: a message then passes its address without boxing it again.
  readonly #addresses: (number | undefined)[];
  #enabled = false;
  #functionMasked = false;

  constructor(config: ConfigSpace, at: number, upstream: Upstream) {
    this.#config = config;
    this.#at = at;
    this.#upstream = upstream;
    this.nrVectors = MSIX_Message_Control.Table_Size(config.get(MSIX_Message_Control, at)) + 1;
    this.#table = new Uint32Array(this.nrVectors * ENTRY_WORDS);
    // Two words at least: the array is made of quadwords.
    this.#pending = new Uint32Array(Math.ceil(this.nrVectors / 64) * 2);
    this.#addresses = new Array<number | undefined>(this.nrVectors).fill(undefined);
    for (let vector = 0; vector < this.nrVectors; vector++) {
      this.#table[vector * ENTRY_WORDS + CONTROL_WORD] = MSIX_Vector_Control.Mask_Bit.mask;
      this.#latchAddress(vector);
    }
    const { Function_Mask, MSIX_Enable } = MSIX_Message_Control;
    config.allow(MSIX_Message_Control, Function_Mask.mask | MSIX_Enable.mask, at);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Bytes of the capability in configuration space. */
  get range(): ConfigRange {
    return { offset: this.#at, sizeBytes: 12 };
  }

  /** Sends vector `vector`, or remembers it while it is masked. False where no message went out. */
  raise(vector: number): boolean {
    if (!this.#enabled || vector < 0 || vector >= this.nrVectors) return false;
    const entry = vector * ENTRY_WORDS;
    if (this.#functionMasked || this.#table[entry + CONTROL_WORD] !== 0) {
      this.#pending[vector >>> 5] |= 1 << (vector & 31);
      return false;
    }
    const address = this.#addresses[vector];
    return address !== undefined && this.#upstream.write32(address, this.#table[entry + DATA_WORD]);
  }

  /** Takes in what software has written to Message Control. */
  latch(): void {
    const control = this.#config.get(MSIX_Message_Control, this.#at);
    this.#enabled = MSIX_Message_Control.MSIX_Enable(control) === 1;
    this.#functionMasked = MSIX_Message_Control.Function_Mask(control) === 1;
  }

  /** Sends what waits and is no longer masked. */
  flush(): void {
    if (!this.#enabled || this.#functionMasked) return;
    for (let word = 0; word < this.#pending.length; word++) {
      if (this.#pending[word] === 0) continue;
      for (let bit = 0; bit < 32; bit++) this.#flushVector(word * 32 + bit);
    }
  }

  /** The offset within the table of byte `offset` of BAR `bar`; undefined outside it. */
  tableOffset(bar: number, offset: number): number | undefined {
    return within(this.#config.get(MSIX_Table, this.#at), bar, offset, this.#table.byteLength);
  }

  /** The offset within the Pending Bit Array. */
  pbaOffset(bar: number, offset: number): number | undefined {
    return within(this.#config.get(MSIX_PBA, this.#at), bar, offset, this.#pending.byteLength);
  }

  readTable(offset: number, size: AccessSize): number {
    return readWords(this.#table, offset, size);
  }

  readPba(offset: number, size: AccessSize): number {
    return readWords(this.#pending, offset, size);
  }

  /** One aligned 32-bit write. */
  writeTable(offset: number, value: number): void {
    const word = offset >>> 2;
    const vector = Math.floor(word / ENTRY_WORDS);
    this.#table[word] = value & WRITABLE[word % ENTRY_WORDS];
    this.#latchAddress(vector);
    if (word % ENTRY_WORDS === CONTROL_WORD && this.#enabled && !this.#functionMasked) this.#flushVector(vector);
  }

  save(): { readonly table: Uint32Array; readonly pending: Uint32Array } {
    return { table: this.#table.slice(), pending: this.#pending.slice() };
  }

  /** @throws LinuxError EINVAL where `saved` is of another shape */
  restore(saved: unknown): void {
    const { table, pending } = (saved ?? {}) as { table?: unknown; pending?: unknown };
    restoreArray(this.#table, table, 'MSI-X table');
    restoreArray(this.#pending, pending, 'MSI-X PBA');
    for (let vector = 0; vector < this.nrVectors; vector++) this.#latchAddress(vector);
  }

  #flushVector(vector: number): void {
    const bit = 1 << (vector & 31);
    if (!(this.#pending[vector >>> 5] & bit) || this.#table[vector * ENTRY_WORDS + CONTROL_WORD] !== 0) return;
    this.#pending[vector >>> 5] &= ~bit;
    this.raise(vector);
  }

  // An address beyond 52 bits reaches nothing.
  #latchAddress(vector: number): void {
    const low = this.#table[vector * ENTRY_WORDS];
    const high = this.#table[vector * ENTRY_WORDS + 1];
    this.#addresses[vector] = high < ADDRESS_LIMIT_HIGH ? high * 2 ** 32 + low : undefined;
  }
}

function within(register: number, bar: number, offset: number, sizeBytes: number): number | undefined {
  if (MSIX_Table.BIR(register) !== bar) return undefined;
  const at = offset - MSIX_Table.Offset(register) * 8;
  return at >= 0 && at < sizeBytes ? at : undefined;
}

// Bytes past the end read as zero.
function readWords(words: Uint32Array, offset: number, size: AccessSize): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) {
    const at = offset + i;
    value = value * 256 + (((words[at >>> 2] ?? 0) >>> (8 * (at & 3))) & 0xff);
  }
  return value;
}
