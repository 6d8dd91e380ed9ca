// SPDX-License-Identifier: Apache-2.0
// Message-based SPIs as an MSI controller: Linux 6.1's irq-gic-v3-mbi.c.

import { IRQ_TYPE, LinuxError, MSI_FLAG, parentChip } from '@irqkit/core';
import type {
  GlobalDoorbell,
  IrqAllocInfo,
  IrqChip,
  IrqDomain,
  IrqDomainOps,
  MsiParentOps,
  ProbeContext,
} from '@irqkit/core';
import { mbiDoorbell, mbiRanges } from '../description/mbi.js';
import type { MbiRange } from '../description/mbi.js';
import { FIRST_ESPI, FIRST_SPI, GICD_TYPER } from '../regs.js';
import type { GicState } from './gic-state.js';
import { SpiBlocks } from './spi-blocks.js';

/**
 * Registers the doorbell and makes the node's `msi-parent` domain; undefined where the Distributor or the node has no
 * message-based SPIs. Ranges that cannot be are warned of and leave the GIC without them, as in Linux.
 * @throws LinuxError EEXIST where the doorbell overlaps another
 */
export function createMbiDomain(context: ProbeContext, parent: IrqDomain, gic: GicState): IrqDomain | undefined {
  const { node, devres, doorbells, irqs, log } = context;
  if (GICD_TYPER.MBIS(gic.gicd.read(GICD_TYPER.offset, 4)) === 0 || !node.has('msi-controller')) return undefined;
  let ranges: readonly MbiRange[];
  let doorbell: GlobalDoorbell;
  try {
    ranges = mbiRanges(node);
    const unknown = ranges.find((range) => !isImplemented(gic, range));
    if (unknown)
      throw new LinuxError('EINVAL', `${node.path}: the SPIs of <${unknown.firstSpi} ${unknown.nrSpis}> are none`);
    doorbell = mbiDoorbell(node);
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    log.warn(`no message-based SPIs: ${error.message}`);
    return undefined;
  }
  const handle = doorbells.register(doorbell);
  devres.add(() => doorbells.unregister(handle));
  const ops = new MbiDomainOps(parent, ranges, doorbell);
  const domain = irqs.createDomain({
    name: `${node.path} MBI`,
    node,
    busToken: 'msi-parent',
    parent,
    ops,
    doorbells: () => [doorbell],
    msiParent: ops,
  });
  devres.add(() => irqs.removeDomain(domain));
  return domain;
}

function isImplemented({ nrIrqs, nrExtendedSpis }: GicState, { firstSpi, nrSpis }: MbiRange): boolean {
  return firstSpi + nrSpis <= (firstSpi >= FIRST_ESPI ? FIRST_ESPI + nrExtendedSpis : nrIrqs);
}

class MbiDomainOps implements IrqDomainOps, MsiParentOps {
  readonly supportedFlags = MSI_FLAG.PCI_MSIX | MSI_FLAG.MULTI_PCI_MSI;
  readonly #gic: IrqDomain;
  readonly #ranges: readonly SpiBlocks[];
  readonly #chip: IrqChip;

  constructor(gic: IrqDomain, ranges: readonly MbiRange[], doorbell: GlobalDoorbell) {
    this.#gic = gic;
    this.#ranges = ranges.map(({ firstSpi, nrSpis }) => new SpiBlocks(firstSpi, nrSpis));
    this.#chip = {
      name: 'MBI',
      mask: parentChip.mask,
      unmask: parentChip.unmask,
      eoi: parentChip.eoi,
      setType: parentChip.setType,
      setAffinity: parentChip.setAffinity,
      retrigger: parentChip.retrigger,
      // UNIMP: level-triggered messages with GICD_CLRSPI_NSR
      composeMsiMsg(data, msg) {
        msg.address = doorbell.globalDoorbell;
        msg.data = data.hwirq;
      },
      msiDoorbellInfo: () => doorbell,
    };
  }

  /** @throws LinuxError ENOSPC where no range has room, EINVAL for a number asked for; what the parent throws @linux mbi_irq_domain_alloc */
  alloc(domain: IrqDomain, virq: number, nr: number, { hwirq }: IrqAllocInfo): void {
    if (hwirq !== undefined) throw new LinuxError('EINVAL', `${domain.name}: no INTID can be asked for, not ${hwirq}`);
    const { blocks, intid } = this.#take(domain, nr);
    let taken = 0;
    try {
      for (; taken < nr; taken++) this.#allocOne(domain, virq + taken, blocks, intid + taken);
    } catch (error) {
      domain.freeParent(virq, taken);
      blocks.free(intid, nr);
      throw error;
    }
  }

  free(domain: IrqDomain, virq: number, nr: number): void {
    const { hwirq, chipData } = domain.irqData(virq);
    (chipData as SpiBlocks).free(hwirq, nr);
    domain.freeParent(virq, nr);
  }

  #take(domain: IrqDomain, nr: number): { blocks: SpiBlocks; intid: number } {
    for (const blocks of this.#ranges) {
      const intid = blocks.alloc(nr);
      if (intid >= 0) return { blocks, intid };
    }
    throw new LinuxError('ENOSPC', `${domain.name}: no range has ${nr} SPIs left in a block`);
  }

  #allocOne(domain: IrqDomain, virq: number, blocks: SpiBlocks, intid: number): void {
    const args = intid >= FIRST_ESPI ? [2, intid - FIRST_ESPI] : [0, intid - FIRST_SPI];
    const spec = { controller: this.#gic.node!, args: [...args, IRQ_TYPE.EDGE_RISING] };
    domain.allocParent(virq, 1, { spec });
    domain.setInfo(virq, intid, this.#chip, blocks);
    try {
      parentChip.setType(domain.irqData(virq), IRQ_TYPE.EDGE_RISING);
    } catch (error) {
      domain.freeParent(virq, 1);
      throw error;
    }
  }
}
