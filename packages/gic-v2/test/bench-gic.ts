// SPDX-License-Identifier: Apache-2.0
// A GICv2 on a bench: its model alone, with its outputs recorded and its registers at hand.

import { devicetree } from '@irqkit/conformance';
import type { AccessSize, Silicon } from '@irqkit/core';
import { GicV2Model, VIRT_SILICON } from '@irqkit/gic-v2';

const node = devicetree({ 'intc@8000000': { compatible: 'arm,cortex-a15-gic' } }).nodes[1];

export class BenchGic {
  readonly model: GicV2Model;
  /** The IRQ input of each CPU. */
  readonly irq: boolean[];
  /** What the model said of its guest, and of what it has not. */
  readonly log: string[] = [];

  constructor(nrCpus = 2, silicon: Silicon = {}) {
    this.irq = Array.from({ length: nrCpus }, () => false);
    const lines = this.irq.map((_, cpu) => ({ set: (level: boolean) => (this.irq[cpu] = level) }));
    this.model = new GicV2Model(node, { ...VIRT_SILICON, ...silicon }, lines, {
      guest: (format) => this.log.push(format),
      unimp: (format) => this.log.push(format),
    });
  }

  /** Reads the Distributor as `cpu` does. */
  d(offset: number, cpu = 0, size: AccessSize = 4): number {
    return this.model.frames[0].read(offset, size, requester(cpu));
  }

  setD(offset: number, value: number, cpu = 0, size: AccessSize = 4): void {
    this.model.frames[0].write(offset, value, size, requester(cpu));
  }

  /** Reads its CPU interface as `cpu` does. */
  c(offset: number, cpu = 0, size: AccessSize = 4): number {
    return this.model.frames[1].read(offset, size, requester(cpu));
  }

  setC(offset: number, value: number, cpu = 0, size: AccessSize = 4): void {
    this.model.frames[1].write(offset, value, size, requester(cpu));
  }

  /** Group 0 forwarded, every interface open to priorities above 0xf0. */
  open(): this {
    this.setD(0x000, 1);
    for (let cpu = 0; cpu < this.irq.length; cpu++) {
      this.setC(0x004, 0xf0, cpu);
      this.setC(0x000, 1, cpu);
    }
    return this;
  }

  /** Enables an SPI or PPI of CPU 0, edge or level, with a priority; SPIs go to CPU 0. */
  enable(intid: number, { priority = 0xa0, edge = false, targets = 1 } = {}): void {
    this.setD(0x400 + intid, priority, 0, 1);
    if (this.irq.length > 1) this.setD(0x800 + intid, targets, 0, 1);
    const config = 0xc00 + (intid >> 4) * 4;
    const bit = 2 << ((intid % 16) * 2);
    this.setD(config, edge ? this.d(config) | bit : this.d(config) & ~bit);
    this.setD(0x100 + (intid >> 5) * 4, 1 << (intid % 32));
  }
}

function requester(cpu: number) {
  return { kind: cpu < 0 ? 'device' : 'cpu', cpu, requesterId: -1, streamId: -1, deviceId: -1 } as const;
}
