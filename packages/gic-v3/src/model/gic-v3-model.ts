// SPDX-License-Identifier: Apache-2.0
// A GICv3 as hardware: Distributor, Redistributors and CPU interfaces. Arm IHI 0069. Missing: a second Security state, legacy
// operation without affinity routing, virtualization, GICv4, FIQ outputs.

import { FirmwareError, LinuxError, MODEL_CONTEXT, inject, injectable } from '@irqkit/core';
import type {
  FirmwareNode,
  IrqLine,
  IrqSink,
  MmioModel,
  Model,
  ModelContext,
  RedistributorsModel,
  State,
} from '@irqkit/core';
import { MBI_ALIAS_BYTES, hasMbis, mbiAlias } from '../description/mbi.js';
import { nrRedistributorRegions, redistributorStride } from '../description/redistributor-regions.js';
import { FIRST_EPPI, FIRST_ESPI, FIRST_PPI, FIRST_SPECIAL, FIRST_SPI, GICR_FRAME_BYTES } from '../regs.js';
import { parametersOf } from '../silicon.js';
import { Affinities } from './affinities.js';
import { CpuInterface } from './cpu-interface.js';
import type { CpuInterfaceState } from './cpu-interface.js';
import { DistributorFrame } from './distributor-frame.js';
import { Forwarding } from './forwarding.js';
import { IccRegisters } from './icc-registers.js';
import { InputLines } from './input-lines.js';
import type { InputState } from './input-lines.js';
import { InterruptBanks } from './interrupt-banks.js';
import { NO_WORD } from './interrupts.js';
import { Interrupts } from './interrupts.js';
import { Lpis } from './lpis.js';
import type { LpiState } from './lpis.js';
import { MessageSpis } from './message-spis.js';
import { RedistributorFrame } from './redistributor-frame.js';
import type { RedistributorState } from './redistributor-frame.js';
import { RedistributorRegion } from './redistributor-region.js';
import { Sgis } from './sgis.js';

const VERSION = 1;

/** First cell of a specifier. Devicetree binding arm,gic-v3 */
const SPI = 0;
const PPI = 1;
const ESPI = 2;
const EPPI = 3;

/** What save() gives. */
interface GicV3State extends State {
  readonly ctlr: number;
  readonly gicrCtlr: Uint32Array;
  readonly waker: Uint8Array;
  readonly interrupts: Readonly<Record<string, Uint8Array | Uint32Array>>;
  readonly interfaces: readonly CpuInterfaceState[];
  readonly redistributors: readonly RedistributorState[];
  readonly lpis: LpiState;
  readonly inputs: InputState;
}

/**
 * One Redistributor and CPU interface for each processor. frames[0] is the Distributor, those after it are the regions of
 * Redistributors, filled in the order of the processors. Parameters in `silicon`: see parametersOf.
 */
@injectable()
export class GicV3Model implements RedistributorsModel, IrqSink {
  readonly frames: readonly MmioModel[];
  readonly windows: Model['windows'];
  readonly sink: IrqSink = this;
  readonly systemRegisters: IccRegisters;
  readonly lpis: Lpis;
  readonly #node: FirmwareNode;
  readonly #interrupts: Interrupts;
  readonly #interfaces: readonly CpuInterface[];
  readonly #redistributors: readonly RedistributorFrame[];
  readonly #forwarding: Forwarding;
  readonly #inputs: InputLines;

  /** @throws FirmwareError where `reg` has no room for a Redistributor of each processor; LinuxError ENXIO for `mbi-alias` */
  constructor(@inject(MODEL_CONTEXT) context: ModelContext) {
    const { node, silicon, cpuIrqs, mpidr, dma, log } = context;
    const parameters = parametersOf(silicon, hasMbis(node));
    const affinities = new Affinities(mpidr);
    const interrupts = new Interrupts(parameters, cpuIrqs.length);
    const interfaces = cpuIrqs.map((line) => new CpuInterface(parameters.priorityBits, line));
    const forwarding = new Forwarding(interrupts, interfaces, affinities, parameters.gicrWaker);
    const places = placeRedistributors(node, cpuIrqs.length);
    const bases = places.flatMap(({ base, nrFrames }) =>
      Array.from({ length: nrFrames }, (_, i) => base + i * strideOf(node)),
    );
    const lpis = new Lpis(parameters, bases, forwarding, dma, log);
    const banks = new InterruptBanks(interrupts, forwarding, parameters);
    const messages = new MessageSpis(interrupts, forwarding, log);
    const sgis = new Sgis(interrupts, forwarding, affinities, parameters, log);
    const parts = { interrupts, interfaces, forwarding, lpis, banks, messages, sgis, parameters, log };
    const ends = new Set(places.map(({ firstCpu, nrFrames }) => firstCpu + nrFrames - 1));
    const redistributors = cpuIrqs.map((_, cpu) => new RedistributorFrame(cpu, mpidr[cpu], ends.has(cpu), parts));
    // UNIMP: a second Security state
    // UNIMP: GICv4
    this.frames = [
      new DistributorFrame(parts),
      ...places.map(
        ({ firstCpu, nrFrames }) =>
          new RedistributorRegion(redistributors.slice(firstCpu, firstCpu + nrFrames), strideOf(node)),
      ),
    ];
    this.windows = aliasWindows(node, messages);
    this.systemRegisters = new IccRegisters(parts);
    this.lpis = lpis;
    this.#node = node;
    this.#interrupts = interrupts;
    this.#interfaces = interfaces;
    this.#redistributors = redistributors;
    this.#forwarding = forwarding;
    this.#inputs = new InputLines(interrupts, forwarding);
  }

  /** One edge on an SPI's input. INTIDs that are no SPIs of this GIC are ignored. */
  setPending(intid: number): void {
    this.#inputs.pulse(intid);
  }

  /**
   * A wire for a specifier of three cells or four: 0 and the SPI's number, 1 and the PPI's (of every processor), 2 and 3 the
   * same in the extended ranges (devicetree binding arm,gic-v3). Each call connects another wire.
   */
  // UNIMP: partitions of PPIs
  line(specifier: readonly number[]): IrqLine | undefined {
    const [type, number] = specifier;
    if (specifier.length < 3 || !(number >= 0)) return undefined;
    const intid = intidOf(type, number);
    const word = intid === undefined ? NO_WORD : this.#interrupts.wordOf(intid);
    if (intid === undefined || word === NO_WORD) return undefined;
    return this.#interrupts.isPrivate(word) ? this.#inputs.connectAll(intid) : this.#inputs.connect(intid, 0);
  }

  /** A wire to one processor's own input, as its timer has; undefined where the INTID is no PPI. */
  privateLine(cpu: number, intid: number): IrqLine | undefined {
    const word = this.#interrupts.wordOf(intid);
    if (intid < FIRST_PPI || word === NO_WORD || !this.#interrupts.isPrivate(word)) return undefined;
    return cpu >= 0 && cpu < this.#interfaces.length ? this.#inputs.connect(intid, cpu) : undefined;
  }

  /**
   * Writes every LPI pending table in memory, which else are written when LPIs are disabled.
   * @linux KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES
   */
  savePendingTables(): void {
    for (const each of this.lpis.redistributors) each.writePendingTable();
  }

  /** LPIs that are pending are in it, as are the configurations that were cached: memory need not be restored before it. */
  save(): State {
    const arrays = Object.entries(this.#interrupts.arrays).map(([name, array]) => [name, array.slice()] as const);
    return {
      version: VERSION,
      ctlr: this.#forwarding.ctlr,
      gicrCtlr: this.#forwarding.gicrCtlr.slice(),
      waker: this.#forwarding.waker.slice(),
      interrupts: Object.fromEntries(arrays),
      interfaces: this.#interfaces.map((each) => each.save()),
      redistributors: this.#redistributors.map((each) => each.save()),
      lpis: this.lpis.save(),
      inputs: this.#inputs.save(),
    } satisfies GicV3State;
  }

  /** @throws LinuxError EINVAL for a state of another version, or of a GIC of another size. */
  restore(state: State): void {
    const saved = this.#checked(state);
    const before = this.#redistributors.map((each) => each.save());
    const { gicrCtlr, waker } = this.#forwarding;
    const formerCtlr = gicrCtlr.slice();
    gicrCtlr.set(saved.gicrCtlr);
    this.#redistributors.forEach((each, cpu) => each.restore(saved.redistributors[cpu]));
    const tables = this.#redistributors.map(({ lpiTables }) => lpiTables);
    try {
      this.lpis.check(saved.lpis, tables, this.#node.path);
    } catch (error) {
      gicrCtlr.set(formerCtlr);
      this.#redistributors.forEach((each, cpu) => each.restore(before[cpu]));
      throw error;
    }
    waker.set(saved.waker);
    for (const [name, array] of Object.entries(this.#interrupts.arrays)) array.set(saved.interrupts[name]);
    this.#interfaces.forEach((each, cpu) => each.restore(saved.interfaces[cpu]));
    this.#inputs.restore(saved.inputs);
    this.#forwarding.ctlr = saved.ctlr;
    this.lpis.restore(saved.lpis, tables);
    for (const { cpu, queue } of this.lpis.redistributors) this.#forwarding.setQueue(cpu, queue);
    this.#forwarding.rebuild();
  }

  #checked(state: State): GicV3State {
    const refuse = (what: string): never => {
      throw new LinuxError('EINVAL', `${this.#node.path}: cannot restore ${what}`);
    };
    if (state.version !== VERSION) refuse(`a state of version ${state.version}, this is ${VERSION}`);
    const { interrupts, interfaces, redistributors, inputs, gicrCtlr, waker } = state as Partial<GicV3State>;
    for (const [name, array] of Object.entries(this.#interrupts.arrays))
      if (interrupts?.[name]?.length !== array.length) refuse(`interrupts.${name}`);
    for (const [name, list] of Object.entries({ interfaces, redistributors, gicrCtlr, waker }))
      if (list?.length !== this.#interfaces.length) refuse(name);
    if (inputs?.asserted?.length !== this.#interrupts.priority.length) refuse('inputs');
    return state as GicV3State;
  }
}

interface Place {
  readonly base: number;
  readonly firstCpu: number;
  readonly nrFrames: number;
}

function strideOf(node: FirmwareNode): number {
  return redistributorStride(node) ?? 2 * GICR_FRAME_BYTES;
}

function placeRedistributors(node: FirmwareNode, nrCpus: number): readonly Place[] {
  const places: Place[] = [];
  let firstCpu = 0;
  for (let i = 1; i <= nrRedistributorRegions(node); i++) {
    const { base, sizeBytes } = node.reg(i);
    const nrFrames = Math.min(Math.floor(sizeBytes / strideOf(node)), nrCpus - firstCpu);
    places.push({ base, firstCpu, nrFrames });
    firstCpu += nrFrames;
  }
  if (firstCpu < nrCpus)
    throw new FirmwareError(node.path, `reg has room for ${firstCpu} Redistributors, there are ${nrCpus} processors`);
  return places;
}

function aliasWindows(node: FirmwareNode, messages: MessageSpis): Model['windows'] {
  const base = hasMbis(node) ? mbiAlias(node) : undefined;
  if (base === undefined || node.regs.some((reg) => base >= reg.base && base < reg.base + reg.sizeBytes))
    return undefined;
  return [{ region: { base, sizeBytes: MBI_ALIAS_BYTES }, model: messages }];
}

function intidOf(type: number, number: number): number | undefined {
  switch (type) {
    case SPI:
      return number < FIRST_SPECIAL - FIRST_SPI ? FIRST_SPI + number : undefined;
    case PPI:
      return number < FIRST_SPI - FIRST_PPI ? FIRST_PPI + number : undefined;
    case ESPI:
      return FIRST_ESPI + number;
    case EPPI:
      return number < FIRST_ESPI - FIRST_EPPI ? FIRST_EPPI + number : undefined;
    default:
      return undefined;
  }
}
