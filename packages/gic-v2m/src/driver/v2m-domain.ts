// SPDX-License-Identifier: Apache-2.0
// The MSI domain that all frames of one GIC serve together: whichever frame has room. Linux 6.1 irq-gic-v2m.c.

import { IRQ_TYPE, LinuxError, MSI_FLAG, parentChip } from '@irqkit/core';
import type {
  FirmwareNode,
  IrqAllocInfo,
  IrqChip,
  IrqData,
  IrqDomain,
  IrqDomainOps,
  MsiDoorbellInfo,
  MsiParentOps,
} from '@irqkit/core';
import { messageAddress, messageData } from '../description/frame.js';
import type { V2mFrame } from '../description/frame.js';
import { FIRST_SPI } from '../regs.js';
import type { SpiBlocks } from './spi-blocks.js';

/** A frame in service. */
export interface ServingFrame extends V2mFrame {
  readonly blocks: SpiBlocks;
  readonly doorbell: MsiDoorbellInfo;
}

export class V2mDomainOps implements IrqDomainOps, MsiParentOps {
  /** In the order in which they are asked. */
  readonly frames = new Set<ServingFrame>();
  readonly #gic: FirmwareNode;

  /** `gic`: the node whose `wired` domain is the parent. */
  constructor(gic: FirmwareNode) {
    this.#gic = gic;
  }

  /** Multi-MSI needs vectors that differ in the data. */
  get supportedFlags(): number {
    const oneAddress = [...this.frames].every(({ variant }) => variant.bytesPerSpi === 0);
    return oneAddress ? MSI_FLAG.PCI_MSIX | MSI_FLAG.MULTI_PCI_MSI : MSI_FLAG.PCI_MSIX;
  }

  /**
   * @throws LinuxError ENOSPC where no frame has room, EINVAL for a wish: frames choose their SPIs; what the parent throws
   * @linux gicv2m_irq_domain_alloc
   */
  alloc(domain: IrqDomain, virq: number, nr: number, { hwirq }: IrqAllocInfo): void {
    if (hwirq !== undefined) throw new LinuxError('EINVAL', `${domain.name}: no INTID can be asked for, not ${hwirq}`);
    const { frame, start } = this.#take(domain, nr);
    let taken = 0;
    try {
      for (; taken < nr; taken++) this.#allocOne(domain, virq + taken, frame, frame.firstSpi + start + taken);
    } catch (error) {
      domain.freeParent(virq, taken);
      frame.blocks.free(start, nr);
      throw error;
    }
  }

  free(domain: IrqDomain, virq: number, nr: number): void {
    const { hwirq, chipData } = domain.irqData(virq);
    const frame = chipData as ServingFrame;
    frame.blocks.free(hwirq - frame.firstSpi, nr);
    domain.freeParent(virq, nr);
  }

  #take(domain: IrqDomain, nr: number): { frame: ServingFrame; start: number } {
    for (const frame of this.frames) {
      // A frame may say that SPIs are its own which a device is wired to: QEMU's virt machine has an SMMUv3 on four of them.
      const start = frame.blocks.alloc(nr, (spi) => domain.parent?.find(frame.firstSpi + spi) !== undefined);
      if (start >= 0) return { frame, start };
    }
    throw new LinuxError('ENOSPC', `${domain.name}: no frame has ${nr} SPIs left in a block`);
  }

  #allocOne(domain: IrqDomain, virq: number, frame: ServingFrame, intid: number): void {
    const args = [0, intid - FIRST_SPI, IRQ_TYPE.EDGE_RISING];
    domain.allocParent(virq, 1, { spec: { controller: this.#gic, args } });
    domain.setInfo(virq, intid, chip, frame);
    try {
      parentChip.setType(domain.irqData(virq), IRQ_TYPE.EDGE_RISING);
    } catch (error) {
      domain.freeParent(virq, 1);
      throw error;
    }
  }
}

function frameOf(data: IrqData): ServingFrame {
  return data.chipData as ServingFrame;
}

const chip: IrqChip = {
  name: 'GICv2m',
  mask: parentChip.mask,
  unmask: parentChip.unmask,
  eoi: parentChip.eoi,
  setAffinity: parentChip.setAffinity,
  retrigger: parentChip.retrigger,
  composeMsiMsg(data, msg) {
    msg.address = messageAddress(frameOf(data), data.hwirq);
    msg.data = messageData(frameOf(data), data.hwirq);
  },
  msiDoorbellInfo: (data) => frameOf(data).doorbell,
};
