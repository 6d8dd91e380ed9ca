// SPDX-License-Identifier: Apache-2.0
// A GICv2 as hardware: Distributor and CPU interfaces. Arm IHI 0048B. Missing: the Security Extensions, the virtualization
// interfaces (GICH, GICV), FIQ outputs.

import { CPU_IRQS, LinuxError, MODEL_LOG, NODE, SILICON, inject, injectable } from '@irqkit/core';
import type {
  FirmwareNode,
  InterruptControllerModel,
  IrqLine,
  IrqSink,
  MmioModel,
  ModelLog,
  Silicon,
  State,
} from '@irqkit/core';
import { FIRST_PPI, FIRST_SPI, MAX_CPUS } from '../regs.js';
import { parametersOf } from '../silicon.js';
import { CpuInterface } from './cpu-interface.js';
import type { CpuInterfaceState } from './cpu-interface.js';
import { CpuInterfaceFrame } from './cpu-interface-frame.js';
import { DistributorFrame } from './distributor-frame.js';
import { Forwarding } from './forwarding.js';
import { InputLines } from './input-lines.js';
import type { InputState } from './input-lines.js';
import { Interrupts } from './interrupts.js';

const VERSION = 1;

/** What save() gives. */
interface GicV2State extends State {
  readonly ctlr: number;
  readonly interrupts: Readonly<Record<string, Uint8Array | Uint32Array>>;
  readonly interfaces: readonly CpuInterfaceState[];
  readonly inputs: InputState;
}

/**
 * One CPU interface for each of `cpuIrqs`, up to eight. frames[0] is the Distributor, frames[1] the CPU interfaces; both are
 * banked by the requester's CPU. Parameters in `silicon`: see parametersOf.
 */
@injectable()
export class GicV2Model implements InterruptControllerModel, IrqSink {
  readonly frames: readonly MmioModel[];
  readonly sink: IrqSink = this;
  readonly #node: FirmwareNode;
  readonly #interrupts: Interrupts;
  readonly #interfaces: readonly CpuInterface[];
  readonly #forwarding: Forwarding;
  readonly #inputs: InputLines;

  constructor(
    @inject(NODE) node: FirmwareNode,
    @inject(SILICON) silicon: Silicon,
    @inject(CPU_IRQS) cpuIrqs: readonly IrqLine[],
    @inject(MODEL_LOG) log: ModelLog,
  ) {
    const parameters = parametersOf(silicon);
    const lines = cpuIrqs.slice(0, MAX_CPUS);
    // UNIMP: Security Extensions
    if (parameters.securityExtn) log.unimp('Security Extensions: every access sees all groups');
    this.#node = node;
    this.#interrupts = new Interrupts(parameters.nrIrqs, lines.length);
    this.#interfaces = lines.map((line) => new CpuInterface(parameters.priorityBits, line));
    this.#forwarding = new Forwarding(this.#interrupts, this.#interfaces);
    this.#inputs = new InputLines(this.#interrupts, this.#forwarding);
    // UNIMP: virtualization interfaces (GICH, GICV)
    this.frames = [
      new DistributorFrame(this.#interrupts, this.#forwarding, parameters, log),
      new CpuInterfaceFrame(this.#interrupts, this.#forwarding, this.#interfaces, parameters, log),
    ];
  }

  /** One edge on an SPI's input. INTIDs that are no SPIs of this GIC are ignored. */
  setPending(intid: number): void {
    if (intid >= FIRST_SPI && intid < this.#interrupts.nrIrqs) this.#inputs.pulse(intid);
  }

  /**
   * A wire for a specifier of three cells: 0 and the SPI's number, or 1 and the PPI's with a mask of CPUs in bits [15:8] of
   * the third (devicetree binding arm,gic). Each call connects another wire.
   */
  line(specifier: readonly number[]): IrqLine | undefined {
    const [type, number, flags] = specifier;
    if (specifier.length < 3 || number < 0) return undefined;
    const all = (1 << this.#interrupts.nrCpus) - 1;
    // A PPI without a mask is wired to every CPU, as Linux takes it.
    if (type === 1 && FIRST_PPI + number < FIRST_SPI)
      return this.#inputs.connect(FIRST_PPI + number, (flags >>> 8) & 0xff || all);
    if (type === 0 && FIRST_SPI + number < this.#interrupts.nrIrqs) return this.#inputs.connect(FIRST_SPI + number, 1);
    return undefined;
  }

  save(): State {
    const arrays = Object.entries(this.#interrupts.arrays).map(([name, array]) => [name, array.slice()] as const);
    return {
      version: VERSION,
      ctlr: this.#forwarding.ctlr,
      interrupts: Object.fromEntries(arrays),
      interfaces: this.#interfaces.map((each) => each.save()),
      inputs: this.#inputs.save(),
    } satisfies GicV2State;
  }

  /** @throws LinuxError EINVAL for a state of another version, or of a GIC of another size. */
  restore(state: State): void {
    const saved = this.#checked(state);
    for (const [name, array] of Object.entries(this.#interrupts.arrays)) array.set(saved.interrupts[name]);
    this.#interfaces.forEach((each, cpu) => each.restore(saved.interfaces[cpu]));
    this.#inputs.restore(saved.inputs);
    this.#forwarding.ctlr = saved.ctlr;
    this.#forwarding.rebuild();
  }

  #checked(state: State): GicV2State {
    const refuse = (what: string): never => {
      throw new LinuxError('EINVAL', `${this.#node.path}: cannot restore ${what}`);
    };
    if (state.version !== VERSION) refuse(`a state of version ${state.version}, this is ${VERSION}`);
    const { interrupts, interfaces, inputs } = state as Partial<GicV2State>;
    for (const [name, array] of Object.entries(this.#interrupts.arrays))
      if (interrupts?.[name]?.length !== array.length) refuse(`interrupts.${name}`);
    if (interfaces?.length !== this.#interfaces.length) refuse('interfaces');
    if (!interfaces?.every(({ apr, nsapr }) => apr?.length === 4 && nsapr?.length === 4)) refuse('active priorities');
    if (inputs?.asserted?.length !== this.#interrupts.priority.length || !Array.isArray(inputs.levels))
      refuse('inputs');
    return state as GicV2State;
  }
}
