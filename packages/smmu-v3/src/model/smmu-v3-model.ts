// SPDX-License-Identifier: Apache-2.0
// An SMMUv3 as hardware. Arm IHI 0070. Missing: ATS and PRI, hardware updates of tables, stalled transactions, AArch32 and
// big-endian tables, the Secure and Realm states.

import {
  DMA,
  DMA_PORTS,
  INTERRUPTS,
  LinuxError,
  MODEL_LOG,
  NODE,
  SILICON,
  inject,
  injectable,
  physAddr,
} from '@irqkit/core';
import type {
  Dma,
  DmaPorts,
  FirmwareNode,
  IommuModel,
  IrqLine,
  MmioModel,
  ModelLog,
  PhysAddr,
  Requester,
  Silicon,
  State,
} from '@irqkit/core';
import { parametersOf } from '../silicon.js';
import type { SmmuParameters } from '../silicon.js';
import type { Translate } from './fast-path.js';
import { reportGaps } from './report-gaps.js';
import { SmmuFrame } from './smmu-frame.js';
import { smmuParts } from './smmu-parts.js';
import type { SmmuParts } from './smmu-parts.js';
import { SmmuRegisters } from './smmu-registers.js';
import { restoreRegisters, saveRegisters, STATE_WORDS } from './smmu-state.js';

const VERSION = 1;

/** What save() gives. */
interface SmmuState extends State {
  /** IDR0 to IDR5: states of other silicon are refused. */
  readonly idr: Uint32Array;
  /** Registers, as smmu-state.ts lists them. */
  readonly words: Uint32Array;
}

/**
 * frames[0] is page 0 and page 1. Devices are told apart by the `streamId` of the requester, address spaces within one by its
 * `substreamId`. Parameters in `silicon`: see parametersOf. Tables and queues are in memory, which is the board's to save.
 */
@injectable()
export class SmmuV3Model implements IommuModel {
  readonly frames: readonly MmioModel[];
  /**
   * The same as `translate` without a requester: `ssid` is -1 where there is none, `hi` and `lo` are bits [63:32] and [31:0] of the
   * address as integers of either sign, so that every 64-bit address can be asked for.
   */
  readonly translateWords: Translate;
  readonly #path: string;
  readonly #parameters: SmmuParameters;
  readonly #parts: SmmuParts;
  readonly #registers: SmmuRegisters;
  #generation = 0;

  constructor(
    @inject(NODE) node: FirmwareNode,
    @inject(SILICON) silicon: Silicon,
    @inject(DMA) dma: Dma,
    @inject(INTERRUPTS) interrupts: readonly IrqLine[],
    @inject(DMA_PORTS) ports: DmaPorts,
    @inject(MODEL_LOG) log: ModelLog,
  ) {
    const parameters = parametersOf(silicon);
    reportGaps(parameters, log);
    this.#path = node.path;
    this.#parameters = parameters;
    this.#parts = smmuParts(parameters, { node, dma, interrupts, ports, log });
    this.#registers = new SmmuRegisters(parameters, this.#parts, log);
    this.translateWords = this.#parts.translation.translate;
    this.frames = [new SmmuFrame(this.#registers, this.#parts, log, () => this.#generation++)];
  }

  /** Differs from what it was where an answer of `translate` may no longer hold: after invalidations and writes of registers. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * The upper half of the address space may be given as negative numbers, two's complement, which are exact. Negative answers: an event's
   * number, recorded or suppressed, or ABORTED.
   */
  translate(by: Requester, address: number, write: boolean): number {
    const lo = address | 0;
    const hi = ((address - (lo >>> 0)) * 2 ** -32) | 0;
    return this.translateWords(by.streamId, by.substreamId ?? -1, hi, lo, write);
  }

  /** Where the stream table has the entry of a StreamID now; undefined where it has none. Records nothing. */
  locateSte(sid: number): PhysAddr | undefined {
    const at = this.#parts.translation.configuration.locateSte(sid);
    return at === undefined ? undefined : physAddr(at);
  }

  /** Where the context descriptor of such transactions is now; undefined where they use none. Records nothing. */
  locateCd(sid: number, ssid = -1): PhysAddr | undefined {
    const at = this.#parts.translation.configuration.locateCd(sid, ssid);
    return at === undefined ? undefined : physAddr(at);
  }

  /** Forgets what is known of tables in memory. For software that invalidates as it must, only the time of accesses changes. */
  dropCaches(): void {
    this.#parts.translation.dropCaches();
    this.#generation++;
  }

  save(): State {
    return {
      version: VERSION,
      idr: this.#idr(),
      words: saveRegisters(this.#registers, this.#parts),
    } satisfies SmmuState;
  }

  /** @throws LinuxError EINVAL for a state of another version, or of another SMMU. */
  restore(state: State): void {
    const { words } = this.#checked(state);
    restoreRegisters(words, this.#registers, this.#parts);
    this.dropCaches();
  }

  #idr(): Uint32Array {
    const { idr0, idr1, idr2, idr3, idr4, idr5 } = this.#parameters;
    return Uint32Array.of(idr0, idr1, idr2, idr3, idr4, idr5);
  }

  #checked(state: State): SmmuState {
    const refuse = (what: string): never => {
      throw new LinuxError('EINVAL', `${this.#path}: cannot restore ${what}`);
    };
    if (state.version !== VERSION) refuse(`a state of version ${state.version}, this is ${VERSION}`);
    const { idr, words } = state as Partial<SmmuState>;
    const own = this.#idr();
    if (idr?.length !== own.length || idr.some((word, i) => word !== own[i])) refuse('the state of other ID registers');
    if (words?.length !== STATE_WORDS) refuse('words');
    return state as SmmuState;
  }
}
