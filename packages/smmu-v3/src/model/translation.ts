// SPDX-License-Identifier: Apache-2.0
// What becomes of a transaction: configuration, stage 1, stage 2. Arm IHI 0070, sections 3.4, 3.5 and 7.3.22; chapter 15.

import type { Dma, PhysAddr } from '@irqkit/core';
import { createQuickWalk, createWalker, WALK_ACCESS, WALK_FAULT, WALK_PERM, walkResult } from '@irqkit/pgtable/walk';
import type { Regime, Walk, WalkResult } from '@irqkit/pgtable/walk';
import { EVENT_CLASS, EVENT_NUMBER } from '../layouts.js';
import type { SmmuParameters } from '../silicon.js';
import { Configuration } from './configuration.js';
import type { EventQueue } from './event-queue.js';
import { fastPath, WRITE_NEEDS_SHIFT } from './fast-path.js';
import type { Translate } from './fast-path.js';
import { eventOfWalk, setError } from './fault.js';
import type { Fault } from './fault.js';
import { ENTRY, flagsOf, Iotlb, SPACE_SHIFT } from './iotlb.js';
import type { StreamContext } from './stream-context.js';
import { StageTwo } from './stage-two.js';
import { StreamCache } from './stream-cache.js';

/** A transaction that is terminated without an event: by STE.Config, GBPA, or its size while the SMMU is disabled. */
export const ABORTED = -0x100;
/** Set in no entry of the IOTLB. */
const NEVER = 1 << 15;
const UPPER = 1 << 8;

export class Translation {
  /** One access of a device. Hot: nothing is allocated where the configuration is remembered. */
  readonly translate: Translate;
  readonly iotlb: Iotlb;
  readonly streams = new StreamCache();
  readonly configuration: Configuration;
  /** CR0.SMMUEN, and GBPA.ABORT. The caches are empty while it is false. */
  enabled = false;
  abortsAll = false;
  readonly #parameters: SmmuParameters;
  readonly #fault: Fault;
  readonly #events: EventQueue;
  readonly #stage2: StageTwo;
  readonly #walk: Walk;
  readonly #walkNested: Walk;
  readonly #result: WalkResult = walkResult();
  /** Of the walk that is under way. */
  #context: StreamContext | undefined;
  /** Where the stage 1 descriptor that was looked for last is. */
  #tableAt = 0;

  constructor(dma: Dma, parameters: SmmuParameters, fault: Fault, events: EventQueue) {
    this.#parameters = parameters;
    this.#fault = fault;
    this.#events = events;
    this.iotlb = new Iotlb(parameters.log2Iotlb);
    const fetch = fetcher(dma);
    this.#stage2 = new StageTwo(fetch, fault);
    this.configuration = new Configuration(dma, parameters, fault, this.#stage2);
    const findWindow = dma.window && ((pa: number) => dma.window!(pa as PhysAddr));
    this.#walk = createWalker(fetch, undefined, findWindow);
    this.#walkNested = createWalker(fetch, (ipa) => this.#tablePhysical(ipa), findWindow);
    this.translate = fastPath(this.streams, this.iotlb, createQuickWalk(findWindow), (sid, ssid, hi, lo, write) =>
      this.#miss(sid, ssid, hi, lo, write),
    );
  }

  /** Forgets everything; changes nothing but the time that the next accesses take. */
  dropCaches(): void {
    this.streams.dropAll();
    this.iotlb.reset();
  }

  #miss(sid: number, ssid: number, hi: number, lo: number, write: boolean): number {
    if (!this.enabled) return this.#disabled(hi, lo);
    const context = this.streams.get(sid, ssid) ?? this.#configure(sid, ssid);
    if (context === undefined) return this.#end(sid, ssid, hi, lo, write, this.configuration.accessOf(write));
    if (context.aborts) return ABORTED;
    const access = write ? context.writeAccess : context.readAccess;
    const remembered = this.#lookUp(context, hi, lo, access);
    if (remembered >= 0) return remembered;
    const pa = this.#translate(context, hi, lo, access);
    return pa >= 0 ? pa : this.#end(sid, ssid, hi, lo, write, access);
  }

  #disabled(hi: number, lo: number): number {
    const address = addressOf(hi, lo);
    return this.abortsAll || address >= 2 ** this.#parameters.oas ? ABORTED : address;
  }

  #end(sid: number, ssid: number, hi: number, lo: number, write: boolean, access: number): number {
    const fault = this.#fault;
    if (fault.recorded) this.#events.record(fault, sid, ssid, hi, lo, write, access);
    return -fault.number;
  }

  #configure(sid: number, ssid: number): StreamContext | undefined {
    const context = this.configuration.fetch(sid, ssid);
    if (context === undefined) return undefined;
    const translates = context.stage1 || context.stage2 !== undefined;
    if (translates && this.iotlb.spacesFull) this.dropCaches();
    context.space = translates ? this.iotlb.spaceOf(context.kind, context.vmid, context.asid) : 0;
    const needs = translates
      ? (flagOf(context.writeAccess) << WRITE_NEEDS_SHIFT) | flagOf(context.readAccess)
      : (NEVER << WRITE_NEEDS_SHIFT) | NEVER;
    this.streams.add(sid, ssid, context, needs);
    return context;
  }

  /** What the fast path leaves: addresses of the upper half, and with a tag. -1 for one that is not known. */
  #lookUp(context: StreamContext, hi: number, lo: number, access: number): number {
    if (hi >>> 20 === 0 || !context.stage1) return -1;
    const sign = (hi << 8) >> 28;
    const upper = sign !== 0;
    const ignoresTag = upper ? context.tbi1 : context.tbi0;
    if ((sign + 1) >>> 1 !== 0 || (!ignoresTag && hi >> 20 !== sign)) return -1;
    const page = (hi << 20) | (lo >>> 12);
    const { entries } = this.iotlb;
    const at = this.iotlb.indexOf(page, context.space);
    if (entries[at] !== page || entries[at + 1] !== tagOf(context.space, upper, hi)) return -1;
    const flags = entries[at + 3];
    if ((flags & flagOf(access)) === 0) return -1;
    return ENTRY.PA_51_44(flags) * 2 ** 44 + (entries[at + 2] >>> 0) * 0x1000 + (lo & 0xfff);
  }

  /** By the tables; -1 with the fault filled in. */
  #translate(context: StreamContext, hi: number, lo: number, access: number): number {
    const { stage2 } = context;
    if (!context.stage1) {
      const address = addressOf(hi, lo);
      if (address >= 2 ** context.inputBits) {
        setError(this.#fault, EVENT_NUMBER.F_ADDR_SIZE);
        return -1;
      }
      if (stage2 === undefined) return address;
      const pa = this.#stage2.translate(stage2, hi, lo, access, EVENT_CLASS.IN, context.records2);
      if (pa >= 0) this.#remember(context, false, hi, lo, pa, this.#stage2.perms, this.#stage2.leafBytes, false);
      return pa;
    }
    const upper = ((hi >>> 23) & 1) === 1;
    const regime = upper ? context.upper : context.lower;
    const result = this.#result;
    if (!this.#stage1(context, regime, hi, lo, access)) return -1;
    const { leafBytes } = result;
    if (stage2 === undefined) {
      this.#remember(context, upper, hi, lo, result.pa, result.perms, leafBytes, !result.notGlobal);
      return result.pa;
    }
    const { perms, notGlobal } = result;
    const ipa = result.pa;
    const pa = this.#stage2.translate(stage2, (ipa * 2 ** -32) | 0, ipa | 0, access, EVENT_CLASS.IN, context.records2);
    if (pa >= 0) this.#remember(context, upper, hi, lo, pa, perms & this.#stage2.perms, leafBytes, !notGlobal);
    return pa;
  }

  /** False with the fault filled in. */
  #stage1(context: StreamContext, regime: Regime | undefined, hi: number, lo: number, access: number): boolean {
    const result = this.#result;
    const fault = this.#fault;
    this.#context = context;
    const walk = context.stage2 === undefined ? this.#walk : this.#walkNested;
    const why = regime === undefined ? WALK_FAULT.TRANSLATION : walk(regime, hi, lo, access, result);
    if (why === WALK_FAULT.NONE) return true;
    if (why === WALK_FAULT.TABLE) return false;
    if (why === WALK_FAULT.EXTERNAL_ABORT) {
      setError(fault, EVENT_NUMBER.F_WALK_EABT, context.stage2 ? this.#tableAt : result.descriptorAddress);
      fault.cls = EVENT_CLASS.TT;
      return false;
    }
    setError(fault, eventOfWalk(why));
    fault.recorded = context.records1;
    return false;
  }

  #tablePhysical(ipa: number): number {
    const context = this.#context;
    if (context?.stage2 === undefined) return -1;
    this.#tableAt = this.#stage2.tableAddress(context.stage2, ipa, EVENT_CLASS.TT, context.records2, context.s2ptw);
    return this.#tableAt;
  }

  #remember(
    context: StreamContext,
    upper: boolean,
    hi: number,
    lo: number,
    pa: number,
    perms: number,
    leafBytes: number,
    global: boolean,
  ): void {
    const flags = flagsOf(perms, Math.log2(leafBytes), global) | ((pa * 2 ** -44) & ENTRY.PA_51_44.mask);
    const page = (hi << 20) | (lo >>> 12);
    this.iotlb.add(page, tagOf(context.space, upper, hi), (pa * 2 ** -12) | 0, flags);
  }
}

function tagOf(space: number, upper: boolean, hi: number): number {
  return (space << SPACE_SHIFT) | (upper ? UPPER : 0) | ((hi >>> 12) & 0xff);
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
