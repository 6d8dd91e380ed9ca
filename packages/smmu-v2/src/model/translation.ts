// SPDX-License-Identifier: Apache-2.0
// What becomes of a transaction: its stream, stage 1, stage 2. Arm IHI 0062, "Stream mapping", "Address translation".

import type { Dma, PhysAddr } from '@irqkit/core';
import { createWalker, WALK_ACCESS, WALK_FAULT, WALK_PERM, walkResult } from '@irqkit/pgtable/walk';
import type { Walk, WalkResult } from '@irqkit/pgtable/walk';
import { FSYNR0 } from '../regs.js';
import { placeAddress } from './addresses.js';
import type { InputAddress } from './addresses.js';
import { fastPath, WRITE_NEEDS_SHIFT } from './fast-path.js';
import type { Translate } from './fast-path.js';
import type { Faults, Transaction } from './faults.js';
import { ENTRY, entryTag, hashOf, Iotlb } from './iotlb.js';
import type { SmmuRegisters } from './smmu-registers.js';
import { StageTwo } from './stage-two.js';
import { StreamCache } from './stream-cache.js';
import { contextOf } from './stream-context.js';
import type { StreamContext } from './stream-context.js';

/** What `translate` answers where nothing may follow. */
export const TERMINATED = {
  /** A global fault, recorded in GFSR. */
  GLOBAL_FAULT: -1,
  /** A context fault, recorded in the bank's FSR. */
  CONTEXT_FAULT: -2,
  /** Nothing recorded: a context fault is outstanding in the bank (SCTLR.HUPCF). */
  BLOCKED: -3,
  /** Nothing recorded: more bits than physical addresses have, where none is translated. */
  ADDRESS_SIZE: -4,
} as const;

/** Set in no entry of the IOTLB. */
const NEVER = 1 << 15;

export class Translation {
  /** One access of a device. Hot: nothing is allocated where the stream is remembered. */
  readonly translate: Translate;
  readonly iotlb: Iotlb;
  readonly #streams = new StreamCache();
  readonly #registers: SmmuRegisters;
  readonly #faults: Faults;
  readonly #stage2: StageTwo;
  readonly #walk: Walk;
  readonly #walkNested: Walk;
  readonly #result: WalkResult = walkResult();
  readonly #address: InputAddress = { hi: 0, lo: 0, upper: false };
  readonly #transaction: Transaction = { sid: 0, hi: 0, lo: 0, write: false, access: 0 };
  /** Of the walk that is under way. */
  #context: StreamContext | undefined;

  constructor(dma: Dma, registers: SmmuRegisters, faults: Faults) {
    this.#registers = registers;
    this.#faults = faults;
    this.iotlb = new Iotlb(registers.parameters.log2Iotlb, registers.parameters.nrContextBanks);
    const fetch = fetcher(dma);
    this.#stage2 = new StageTwo(fetch);
    this.#walk = createWalker(fetch);
    this.#walkNested = createWalker(fetch, (ipa) => this.#tablePhysical(ipa));
    this.translate = fastPath(this.#streams, this.iotlb, (sid, hi, lo, write) => this.#miss(sid, hi, lo, write));
  }

  /** Forgets how streams pass: a register says it otherwise. */
  forgetStreams(): void {
    this.#streams.dropAll();
  }

  /** Forgets everything; changes nothing but the time that the next accesses take. */
  dropCaches(): void {
    this.#streams.dropAll();
    this.iotlb.dropAll();
  }

  #miss(sid: number, hi: number, lo: number, write: boolean): number {
    const known = this.#streams.get(sid);
    const context = known ?? this.#configure(sid);
    if (context === undefined) return TERMINATED.BLOCKED;
    const of = this.#transaction;
    of.sid = sid;
    of.hi = hi;
    of.lo = lo;
    of.write = write;
    of.access = write ? context.writeAccess : context.readAccess;
    if (context.globalFault !== 0) {
      this.#faults.recordGlobal(context.globalFault, of);
      return TERMINATED.GLOBAL_FAULT;
    }
    if (context.bank < 0) return this.#untranslated(hi, lo);
    const isNew = known === undefined;
    return context.stage1 ? this.#stage1(context, of, isNew) : this.#stage2Alone(context, of, isNew);
  }

  /** Undefined where the stream's bank terminates everything. */
  #configure(sid: number): StreamContext | undefined {
    const context = contextOf(sid, this.#registers);
    const { bank, bank2, stage1, stage2, signBit } = context;
    if ((bank >= 0 && this.#faults.isBlocked(bank)) || (bank2 >= 0 && this.#faults.isBlocked(bank2))) return undefined;
    if (bank >= 0) this.iotlb.own(bank, context.kind, context.vmid, context.asid);
    const remembers = (stage1 || stage2) && (!stage1 || !context.va64 || signBit >= 48);
    const needs = remembers
      ? (flagOf(context.writeAccess) << WRITE_NEEDS_SHIFT) | flagOf(context.readAccess)
      : (NEVER << WRITE_NEEDS_SHIFT) | NEVER;
    this.#streams.add(sid, context, needs);
    return context;
  }

  // CHOICE: an address of more bits than physical ones have does not pass where none is translated.
  #untranslated(hi: number, lo: number): number {
    const address = addressOf(hi, lo);
    return address >= 2 ** this.#registers.parameters.oas ? TERMINATED.ADDRESS_SIZE : address;
  }

  #stage2Alone(context: StreamContext, of: Transaction, isNew: boolean): number {
    const { hi, lo, access } = of;
    if (!context.stage2) return this.#untranslated(hi, lo);
    const remembered = isNew && hi >>> 16 === 0 ? this.#lookUp(context, hi, lo, false, access) : -1;
    if (remembered >= 0) return remembered;
    const pa = this.#stage2.translate(context.regime2, hi, lo, access);
    const { result } = this.#stage2;
    if (pa < 0) return this.#secondFault(context, of, addressOf(hi, lo), 0);
    this.#remember(context, hi, lo, false, pa, result.perms, result.leafBytes, false);
    return pa;
  }

  #stage1(context: StreamContext, of: Transaction, isNew: boolean): number {
    const at = this.#address;
    if (!placeAddress(context, of.hi, of.lo, at)) return this.#firstFault(context, of, WALK_FAULT.TRANSLATION, 0);
    const { va64 } = context;
    const upper = at.upper && va64;
    const hi = va64 ? at.hi : 0;
    const remembered = this.#mayBeKnown(context, hi, upper, isNew)
      ? this.#lookUp(context, hi, at.lo, upper, of.access)
      : -1;
    if (remembered >= 0) return remembered;
    const regime = at.upper ? context.upper : context.lower;
    if (regime === undefined) return this.#firstFault(context, of, WALK_FAULT.TRANSLATION, 1);
    const result = this.#result;
    this.#context = context;
    const walk = context.stage2 ? this.#walkNested : this.#walk;
    const why = walk(regime, at.hi, at.lo, of.access, result);
    if (why === WALK_FAULT.TABLE) return this.#secondFault(context, of, result.descriptorAddress, FSYNR0.S1PTWF.mask);
    if (why !== WALK_FAULT.NONE) return this.#firstFault(context, of, why, result.level);
    const { pa, perms, leafBytes, notGlobal } = result;
    if (!context.stage2) {
      this.#remember(context, hi, at.lo, upper, pa, perms, leafBytes, !notGlobal);
      return pa;
    }
    const out = this.#stage2.translate(context.regime2, (pa * 2 ** -32) | 0, pa | 0, of.access);
    if (out < 0) return this.#secondFault(context, of, pa, 0);
    this.#remember(context, hi, at.lo, upper, out, perms & this.#stage2.result.perms, leafBytes, !notGlobal);
    return out;
  }

  /**
   * Of what the fast path leaves: addresses of the upper half, with a tag, or extended; and a stream's first access since it was
   * forgotten.
   */
  #mayBeKnown({ signBit, va64, tbi0, tbi1 }: StreamContext, hi: number, upper: boolean, isNew: boolean): boolean {
    if (hi >>> 16 === 0) return isNew || (va64 && signBit < 48);
    return ((upper ? tbi1 : tbi0) ? (hi << 8) >> 24 : hi >> 16) === (upper ? -1 : 0);
  }

  /** -1 where it is not known. */
  #lookUp({ tag }: StreamContext, hi: number, lo: number, upper: boolean, access: number): number {
    const page = (hi << 20) | (lo >>> 12);
    const { entries } = this.iotlb;
    const at = (hashOf(page, tag) << 2) & (entries.length - 4);
    if (entries[at] !== page || entries[at + 1] !== entryTag(tag, upper, hi)) return -1;
    const flags = entries[at + 3];
    if ((flags & flagOf(access)) === 0) return -1;
    return ENTRY.PA_47_44(flags) * 2 ** 44 + (entries[at + 2] >>> 0) * 0x1000 + (lo & 0xfff);
  }

  #firstFault({ bank }: StreamContext, of: Transaction, why: number, level: number): number {
    const walked = why === WALK_FAULT.EXTERNAL_ABORT ? FSYNR0.PTWF.mask : 0;
    this.#faults.recordContext(bank, why, of, walked | FSYNR0.PLVL.set(0, level), -1);
    return TERMINATED.CONTEXT_FAULT;
  }

  /** In stage 2: of the second bank, or of the first where it has no other. */
  #secondFault({ bank, bank2 }: StreamContext, of: Transaction, ipa: number, syndrome: number): number {
    const { result } = this.#stage2;
    const walked = result.fault === WALK_FAULT.EXTERNAL_ABORT ? FSYNR0.PTWF.mask : 0;
    const nested = bank2 < 0 ? 0 : FSYNR0.S1CBNDX.set(FSYNR0.NESTED.mask, bank);
    const bits = FSYNR0.PLVL.set(syndrome | walked | nested, result.level);
    this.#faults.recordContext(bank2 < 0 ? bank : bank2, result.fault, of, bits, ipa);
    return TERMINATED.CONTEXT_FAULT;
  }

  #tablePhysical(ipa: number): number {
    const context = this.#context;
    return context === undefined ? -1 : this.#stage2.tableAddress(context.regime2, ipa, context.ptw);
  }

  #remember(
    context: StreamContext,
    hi: number,
    lo: number,
    upper: boolean,
    pa: number,
    perms: number,
    leafBytes: number,
    global: boolean,
  ): void {
    const log2Leaf = 31 - Math.clz32(leafBytes * 2 ** -12) + 12;
    const flags = (perms << ENTRY.perms.lo) | (log2Leaf << ENTRY.log2Leaf.lo) | (global ? ENTRY.global.mask : 0);
    this.iotlb.add((hi << 20) | (lo >>> 12), entryTag(context.tag, upper, hi), pa, flags);
  }
}

/** The bit of an IOTLB entry's flags that an access needs. */
function flagOf(access: number): number {
  const user =
    (access & WALK_ACCESS.WRITE) !== 0
      ? WALK_PERM.USER_WRITE
      : (access & WALK_ACCESS.INSTRUCTION) !== 0
        ? WALK_PERM.USER_EXECUTE
        : WALK_PERM.USER_READ;
  const privileged = (access & WALK_ACCESS.PRIVILEGED) !== 0;
  return (privileged ? user * (WALK_PERM.PRIVILEGED_READ / WALK_PERM.USER_READ) : user) << ENTRY.perms.lo;
}

function addressOf(hi: number, lo: number): number {
  return (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0);
}

function fetcher(dma: Dma): (pa: number, into: Uint32Array) => boolean {
  if (dma.load64) return (pa, into) => dma.load64!(pa as PhysAddr, into);
  const bytes = new Uint8Array(8);
  const words = new Uint32Array(bytes.buffer);
  return (pa, into) => {
    if (!dma.load(pa as PhysAddr, bytes)) return false;
    into[0] = words[0];
    into[1] = words[1];
    return true;
  };
}
