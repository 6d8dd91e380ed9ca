// SPDX-License-Identifier: Apache-2.0
// The least of a machine around one GICv3 model: an address space, processors with system registers, memory.

import { LinuxError, physAddr } from '@irqkit/core';
import type {
  AccessSize,
  Bus,
  CpuPort,
  FirmwareNode,
  IrqLine,
  MmioModel,
  MmioRegion,
  Requester,
  Silicon,
  SystemRegisters,
} from '@irqkit/core';
import { GicV3Model } from '@irqkit/gic-v3';
import { Memory } from './memory.js';
import { node } from './tree.js';

/** QEMU virt: one region of Redistributors. */
export const GICD = 0x800_0000;
export const GICR = 0x80a_0000;
export const GICR_BYTES = 0xf6_0000;

export interface MachineFacts {
  readonly nrCpus?: number;
  readonly mpidr?: readonly number[];
  readonly silicon?: Silicon;
  readonly compatible?: readonly string[];
  readonly reg?: readonly number[];
  readonly cells?: Readonly<Record<string, readonly number[]>>;
  readonly memory?: Memory;
}

export function gicNode(facts: MachineFacts = {}): FirmwareNode {
  return node({
    path: '/intc@8000000',
    compatible: facts.compatible ?? ['arm,gic-v3'],
    reg: facts.reg ?? [GICD, 0x1_0000, GICR, GICR_BYTES],
    cells: { 'interrupt-controller': [], '#interrupt-cells': [3], ...facts.cells },
    parent: node({ path: '/' }),
  });
}

/** Processors whose inputs the model drives: what rises inside an access is delivered when the outermost one has ended. */
export class Cpus implements CpuPort {
  readonly count: number;
  readonly mpidr: readonly number[];
  readonly lines: readonly IrqLine[];
  readonly sysregs: SystemRegisters;
  current = 0;
  #depth = 0;
  #delivering = false;
  readonly #asserted: boolean[];
  readonly #latched = new Set<number>();
  #callbacks: ((cpu: number) => void)[] = [];
  model: GicV3Model | undefined;
  /** Every access to a system register, for tests that look at them. */
  onSysreg: ((op: 'r' | 'w', register: number, lo: number, hi: number) => void) | undefined;

  constructor(mpidr: readonly number[]) {
    this.mpidr = mpidr;
    this.count = mpidr.length;
    this.#asserted = mpidr.map(() => false);
    this.lines = mpidr.map((_, cpu) => ({ set: (level) => this.#set(cpu, level) }));
    this.sysregs = {
      read: (register) => {
        const value = this.access(() => this.model!.systemRegisters.read(this.current, register));
        this.onSysreg?.('r', register, value, 0);
        return value;
      },
      write: (register, lo, hi = 0) => {
        this.onSysreg?.('w', register, lo, hi);
        this.access(() => this.model!.systemRegisters.write(this.current, register, lo, hi));
      },
    };
  }

  get requester(): Requester {
    return { kind: 'cpu', cpu: this.current, requesterId: -1, streamId: -1, deviceId: -1 };
  }

  runOn<T>(cpu: number, work: () => T): T {
    const former = this.current;
    this.current = cpu;
    try {
      return work();
    } finally {
      this.current = former;
    }
  }

  irqAsserted(cpu: number): boolean {
    return this.#asserted[cpu];
  }

  onIrq(callback: (cpu: number) => void): () => void {
    this.#callbacks.push(callback);
    return () => {
      this.#callbacks = this.#callbacks.filter((other) => other !== callback);
    };
  }

  access<T>(work: () => T): T {
    this.#depth++;
    try {
      return work();
    } finally {
      if (--this.#depth === 0) this.#deliver();
    }
  }

  #set(cpu: number, level: boolean): void {
    this.#asserted[cpu] = level;
    if (level) this.#latched.add(cpu);
    else this.#latched.delete(cpu);
    if (this.#depth === 0) this.#deliver();
  }

  #deliver(): void {
    if (this.#delivering || this.#callbacks.length === 0) return;
    this.#delivering = true;
    try {
      while (this.#latched.size > 0) {
        const cpu = Math.min(...this.#latched);
        this.#latched.delete(cpu);
        for (const callback of this.#callbacks) callback(cpu);
      }
    } finally {
      this.#delivering = false;
    }
  }
}

export type Access = readonly [op: 'r' | 'w', address: number, value: number, size: number];

export class Machine {
  readonly node: FirmwareNode;
  readonly cpus: Cpus;
  readonly memory: Memory;
  readonly model: GicV3Model;
  readonly bus: Bus;
  /** Messages of the model. */
  readonly messages: string[] = [];
  /** Every MMIO access since it was emptied. */
  readonly journal: Access[] = [];
  readonly #places: { base: number; end: number; model: MmioModel }[] = [];

  constructor(facts: MachineFacts = {}) {
    this.node = gicNode(facts);
    const nrCpus = facts.nrCpus ?? 2;
    this.cpus = new Cpus(facts.mpidr ?? Array.from({ length: nrCpus }, (_, cpu) => cpu));
    this.memory = facts.memory ?? new Memory();
    const log = (format: string, ...args: readonly (number | string)[]): void =>
      void this.messages.push([format, ...args].join(' '));
    this.model = new GicV3Model({
      node: this.node,
      silicon: facts.silicon ?? {},
      dma: this.memory,
      cpuIrqs: this.cpus.lines,
      mpidr: this.cpus.mpidr,
      interrupts: [],
      get interruptParent(): never {
        throw new Error('it is the root');
      },
      controller: () => {
        throw new Error('it needs no other');
      },
      ports: {
        port: () => {
          throw new Error('it makes no accesses');
        },
      },
      plugged: [],
      log: { guest: log, unimp: log },
    });
    this.cpus.model = this.model;
    this.model.frames.forEach((model, i) => this.#place(this.node.reg(i).base, this.node.reg(i).sizeBytes, model));
    for (const { region, model } of this.model.windows ?? []) this.#place(region.base, region.sizeBytes, model);
    this.bus = {
      cpus: this.cpus,
      map: (region) => this.#map(region.base, region.sizeBytes),
      unmap: () => undefined,
      memory: {
        alloc: () => {
          throw new LinuxError('ENOMEM', 'no memory for drivers here');
        },
        free: () => undefined,
      },
    };
  }

  read(address: number, size: AccessSize = 4): number {
    const { base, model } = this.#at(address);
    const value = this.cpus.access(() => model.read(address - base, size, this.cpus.requester));
    this.journal.push(['r', address, value, size]);
    return value;
  }

  write(address: number, value: number, size: AccessSize = 4): void {
    const { base, model } = this.#at(address);
    this.journal.push(['w', address, value, size]);
    this.cpus.access(() => model.write(address - base, value, size, this.cpus.requester));
  }

  write64(address: number, lo: number, hi: number): void {
    const { base, model } = this.#at(address);
    this.journal.push(['w', address, hi * 2 ** 32 + lo, 8]);
    this.cpus.access(() => {
      if (model.write64) return model.write64(address - base, lo, hi, this.cpus.requester);
      model.write(address - base, lo, 4, this.cpus.requester);
      model.write(address - base + 4, hi, 4, this.cpus.requester);
    });
  }

  /** A system register of `cpu`. */
  mrs(cpu: number, { sysreg }: { readonly sysreg: number }): number {
    return this.cpus.runOn(cpu, () => this.cpus.sysregs.read(sysreg));
  }

  msr(cpu: number, { sysreg }: { readonly sysreg: number }, lo: number, hi = 0): void {
    this.cpus.runOn(cpu, () => this.cpus.sysregs.write(sysreg, lo, hi));
  }

  /** RD_base of a processor, with QEMU's stride. */
  rd(cpu: number): number {
    return GICR + cpu * 0x2_0000;
  }

  /** SGI_base. */
  sgi(cpu: number): number {
    return this.rd(cpu) + 0x1_0000;
  }

  #place(base: number, sizeBytes: number, model: MmioModel): void {
    this.#places.push({ base, end: base + sizeBytes, model });
  }

  #at(address: number): { base: number; end: number; model: MmioModel } {
    const place = this.#places.find(({ base, end }) => address >= base && address < end);
    if (!place) throw new Error(`nothing at 0x${address.toString(16)}`);
    return place;
  }

  #map(base: number, sizeBytes: number): MmioRegion {
    return {
      base: physAddr(base),
      sizeBytes,
      at: (offset) => physAddr(base + offset),
      read: (offset, size) => this.read(base + offset, size),
      write: (offset, value, size) => this.write(base + offset, value, size),
      write64: (offset, lo, hi) => this.write64(base + offset, lo, hi),
    };
  }
}
