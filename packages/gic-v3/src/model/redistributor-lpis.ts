// SPDX-License-Identifier: Apache-2.0
// The LPIs of one Redistributor: which are pending, and the next of those that are enabled. Arm IHI 0069 section 5.1.

import type { Dma, ModelLog, PhysAddr } from '@irqkit/core';
import { FIRST_LPI } from '../regs.js';
import type { Forwarding } from './forwarding.js';
import type { LpiConfiguration } from './lpi-configuration.js';
import { LpiQueue } from './lpi-queue.js';
import type { PendingBits } from './pending-bits.js';

const NONE = new Uint32Array(0);

// In a constant of this module, which V8 folds; it does not fold what is imported.
const FIRST = FIRST_LPI;

/** Bytes of a pending table before the first LPI's: not the architecture's, and left alone. */
const UNUSED_BYTES = FIRST_LPI / 8;

/**
 * CHOICE: while LPIs are enabled their pending state is kept here alone; the table in memory is read when they are enabled and
 * written when they are disabled, as IHI 0069 allows software to rely on (GICR_PENDBASER, GICR_CTLR.EnableLPIs), and by
 * writePendingTable, as KVM does when it is told to.
 */
export class RedistributorLpis {
  readonly cpu: number;
  /** How many are pending. */
  nrPending = 0;
  readonly #bits: PendingBits;
  readonly #forwarding: Forwarding;
  readonly #dma: Dma;
  readonly #log: ModelLog;
  /** INTIDs it takes are below; 0 while LPIs are disabled. */
  #endIntid = 0;
  /** One bit for each INTID, as in memory: a part of what all redistributors have. */
  #pending: Uint32Array = NONE;
  #queue = new LpiQueue(0, () => -1);
  #configuration: LpiConfiguration | undefined;
  #table = 0;

  constructor(cpu: number, bits: PendingBits, forwarding: Forwarding, dma: Dma, log: ModelLog) {
    this.cpu = cpu;
    this.#bits = bits;
    this.#forwarding = forwarding;
    this.#dma = dma;
    this.#log = log;
  }

  get queue(): LpiQueue {
    return this.#queue;
  }

  /** Undefined while LPIs are disabled. */
  get configuration(): LpiConfiguration | undefined {
    return this.#configuration;
  }

  /** The pending bits, one for each INTID. */
  get pending(): Uint32Array {
    return this.#pending;
  }

  isPending(intid: number): boolean {
    return intid >= FIRST && intid < this.#endIntid && ((this.#pending[intid >>> 5] >>> (intid & 31)) & 1) === 1;
  }

  /** Hot. Nothing happens for an INTID that is pending already, or none of its LPIs. */
  setPending(intid: number): void {
    if (intid < FIRST || intid >= this.#endIntid) return;
    const at = intid >>> 5;
    const before = this.#pending[at];
    const bit = 1 << (intid & 31);
    if ((before & bit) !== 0) return;
    this.#pending[at] = before | bit;
    this.nrPending++;
    const priority = this.#configuration!.priorityOf(intid);
    if (priority >= 0 && this.#queue.add(intid, priority)) this.#forwarding.lpisChanged(this.cpu);
  }

  clearPending(intid: number): void {
    if (!this.isPending(intid)) return;
    this.#pending[intid >>> 5] &= ~(1 << (intid & 31));
    this.nrPending--;
    if (intid !== this.#queue.first) return;
    this.#queue.find();
    this.#forwarding.lpisChanged(this.cpu);
  }

  /** To be called after an entry of the configuration was dropped. */
  requeue(intid: number): void {
    if (!this.isPending(intid)) return;
    const priority = this.#configuration!.priorityOf(intid);
    if (priority >= 0) this.#queue.add(intid, priority);
    this.#queue.find();
    this.#forwarding.lpisChanged(this.cpu);
  }

  /** Looks every pending LPI's configuration up again. */
  requeueAll(): void {
    this.#queue.clear();
    this.forEachPending((intid) => {
      const priority = this.#configuration!.priorityOf(intid);
      if (priority >= 0) this.#queue.add(intid, priority);
    });
    this.#forwarding.lpisChanged(this.cpu);
  }

  forEachPending(visit: (intid: number) => void): void {
    if (this.nrPending === 0) return;
    for (let at = FIRST_LPI >>> 5; at < this.#pending.length; at++)
      for (let bits = this.#pending[at]; bits !== 0; bits &= bits - 1) visit(at * 32 + 31 - Math.clz32(bits & -bits));
  }

  /**
   * Takes LPIs from now on. `table`: where the pending table is; `isZero`: software says that it is all zero.
   * CHOICE: a pending table outside memory reads as zero.
   */
  enable(configuration: LpiConfiguration, table: number, isZero: boolean): void {
    this.#start(configuration, table);
    if (isZero || this.#endIntid === 0) return;
    if (!this.#dma.load((table + UNUSED_BYTES) as PhysAddr, this.#lpiBytes())) {
      this.#log.guest('GICR_PENDBASER: no memory for the table at 0x%x', table);
      return;
    }
    this.#count();
    this.requeueAll();
  }

  /** Takes none from now on: what is pending goes to the table. */
  disable(): void {
    this.writePendingTable();
    this.forget();
    this.#forwarding.lpisChanged(this.cpu);
  }

  /** As if no LPI had ever been enabled. */
  forget(): void {
    this.#endIntid = 0;
    this.#pending.fill(0);
    this.#pending = NONE;
    this.#queue = new LpiQueue(0, () => -1);
    this.#configuration = undefined;
    this.nrPending = 0;
  }

  /** Writes the pending table in memory. @linux KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES */
  writePendingTable(): void {
    if (this.#endIntid > 0 && !this.#dma.store((this.#table + UNUSED_BYTES) as PhysAddr, this.#lpiBytes()))
      this.#log.guest('GICR_PENDBASER: no memory for the table at 0x%x', this.#table);
  }

  /** Enables with pending bits that were saved. */
  restore(configuration: LpiConfiguration, table: number, pending: Uint32Array): void {
    this.#start(configuration, table);
    this.#pending.set(pending);
    this.#count();
    this.requeueAll();
  }

  /** The pending bits have moved to another array. */
  follow(): void {
    this.#pending = this.#bits.of(this.cpu, this.#endIntid);
  }

  #start(configuration: LpiConfiguration, table: number): void {
    this.#configuration = configuration;
    this.#endIntid = configuration.endIntid;
    this.#pending = this.#bits.of(this.cpu, configuration.endIntid);
    this.#queue = new LpiQueue(configuration.endIntid, (word, priority) => this.#firstOf(word, priority));
    this.#table = table;
    this.nrPending = 0;
  }

  // What is pending has its configuration cached.
  #firstOf(word: number, priority: number): number {
    for (let bits = this.#pending[word]; bits !== 0; bits &= bits - 1) {
      const intid = word * 32 + 31 - Math.clz32(bits & -bits);
      if (this.#configuration!.priorityOf(intid) === priority) return intid;
    }
    return -1;
  }

  #lpiBytes(): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.#pending;
    return new Uint8Array(buffer, byteOffset + UNUSED_BYTES, byteLength - UNUSED_BYTES);
  }

  #count(): void {
    this.nrPending = 0;
    for (let at = FIRST_LPI >>> 5; at < this.#pending.length; at++)
      for (let bits = this.#pending[at]; bits !== 0; bits &= bits - 1) this.nrPending++;
  }
}
