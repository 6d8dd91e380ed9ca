// SPDX-License-Identifier: Apache-2.0
// The least of a machine that core needs: firmware nodes written by hand and processors without hardware behind them.

import { FirmwareError, LinuxError, physAddr } from '@irqkit/core';
import type { Bus, CpuPort, Firmware, FirmwareNode, InterruptSpec, MappedId, Region } from '@irqkit/core';

export interface NodeFacts {
  readonly path: string;
  readonly compatible?: readonly string[];
  readonly available?: boolean;
  readonly regs?: readonly Region[];
  readonly interrupts?: readonly InterruptSpec[];
  readonly mapId?: (kind: 'msi' | 'iommu', requesterId: number) => MappedId | undefined;
  readonly iommus?: readonly MappedId[];
  readonly phandle?: number;
  readonly parent?: FirmwareNode;
  readonly children?: readonly FirmwareNode[];
  /** Properties of cells. */
  readonly cells?: Readonly<Record<string, readonly number[]>>;
}

export function stubNode(facts: NodeFacts): FirmwareNode {
  const { regs = [], cells = {} } = facts;
  return {
    path: facts.path,
    name: facts.path.slice(facts.path.lastIndexOf('/') + 1),
    parent: facts.parent,
    children: facts.children ?? [],
    compatible: facts.compatible ?? [],
    phandle: facts.phandle,
    available: facts.available ?? true,
    has: (property) => property in cells,
    propertyNames: Object.keys(cells),
    bytes: () => undefined,
    u32s: (property) => cells[property],
    u32: (property) => cells[property]?.[0],
    strings: () => undefined,
    string: () => undefined,
    regs,
    reg(index) {
      if (!(index in regs)) throw new FirmwareError(facts.path, `no reg ${index}`);
      return regs[index];
    },
    ranges: [],
    dmaRanges: [],
    interrupts: facts.interrupts ?? [],
    interruptParent: undefined,
    mapInterrupt: () => undefined,
    mapId: facts.mapId ?? (() => undefined),
    iommus: facts.iommus ?? [],
  };
}

export function stubFirmware(...nodes: readonly FirmwareNode[]): Firmware {
  return {
    root: stubNode({ path: '/' }),
    nodes,
    find: (path) => nodes.find((node) => node.path === path),
    byPhandle: (phandle) => nodes.find((node) => node.phandle === phandle),
    memory: [],
    cpus: [0],
  };
}

/** Processors whose IRQ inputs the test drives. */
export class StubCpus implements CpuPort {
  readonly count: number;
  readonly mpidr: readonly number[];
  current = 0;
  readonly #asserted = new Set<number>();
  readonly #callbacks = new Set<(cpu: number) => void>();

  constructor(count: number) {
    this.count = count;
    this.mpidr = Array.from({ length: count }, (_, cpu) => cpu);
  }

  get nrListeners(): number {
    return this.#callbacks.size;
  }

  runOn<T>(cpu: number, work: () => T): T {
    const before = this.current;
    this.current = cpu;
    try {
      return work();
    } finally {
      this.current = before;
    }
  }

  irqAsserted(cpu: number): boolean {
    return this.#asserted.has(cpu);
  }

  onIrq(callback: (cpu: number) => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  raise(cpu: number): void {
    this.#asserted.add(cpu);
    for (const callback of this.#callbacks) callback(cpu);
  }

  lower(cpu: number): void {
    this.#asserted.delete(cpu);
  }
}

export function stubBus(cpus: CpuPort, mapped: Region[] = []): Bus {
  return {
    cpus,
    map(region) {
      mapped.push(region);
      return {
        ...region,
        at: (offset) => physAddr(region.base + offset),
        read: () => 0,
        write: () => undefined,
        write64: () => undefined,
      };
    },
    unmap(region) {
      mapped.splice(
        mapped.findIndex(({ base }) => base === region.base),
        1,
      );
    },
    memory: {
      alloc: () => {
        throw new LinuxError('ENOMEM', 'the stub has no memory');
      },
      free: () => undefined,
    },
  };
}
