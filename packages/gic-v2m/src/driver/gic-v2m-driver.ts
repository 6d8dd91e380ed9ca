// SPDX-License-Identifier: Apache-2.0
// The driver of one GICv2m frame: what Linux 6.1's irq-gic-v2m.c does with it.

import { LinuxError, PROBE_CONTEXT, inject, injectable } from '@irqkit/core';
import type { FirmwareNode, IrqDomain, MmioRegion, ProbeContext } from '@irqkit/core';
import { checkSpis, doorbellOf, messageData, spisOfNode, spisOfTyper } from '../description/frame.js';
import type { SpiRange, V2mFrame } from '../description/frame.js';
import { MSI_IIDR, MSI_TYPER } from '../regs.js';
import { variantOfIidr, variantOfNode } from '../description/variants.js';
import type { V2mVariant } from '../description/variants.js';
import { SpiBlocks } from './spi-blocks.js';
import { V2mDomainOps } from './v2m-domain.js';
import type { ServingFrame } from './v2m-domain.js';

/** Under this token the GIC's node leads to the domain that its frames share. */
const SHARED = 'gic-v2m';

/**
 * Registers the frame's doorbell and joins the `msi-parent` domain of its GIC's frames, which the first of them makes and the
 * last of them removes. Each frame's node leads to it.
 * @throws LinuxError EPROBE_DEFER before its GIC is there, ENODEV without one or without `msi-controller`, EINVAL for SPIs
 * that cannot be, EEXIST where its doorbell overlaps another
 */
@injectable()
export class GicV2mDriver {
  readonly domain: IrqDomain;
  readonly frame: V2mFrame;

  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, devres, doorbells, irqs } = context;
    const gic = node.interruptParent ?? node.parent;
    if (!gic || !node.has('msi-controller'))
      throw new LinuxError('ENODEV', `${node.path}: is no msi-controller of a GIC`);
    const parent = irqs.requireDomain(gic, 'wired');
    this.frame = discover(node, context.ioremap(0));
    const handle = doorbells.register(doorbellOf(this.frame));
    devres.add(() => doorbells.unregister(handle));
    const blocks = new SpiBlocks(this.frame.nrSpis, messageData(this.frame, this.frame.firstSpi));
    this.domain = join(context, gic, parent, { ...this.frame, blocks, doorbell: handle.info });
  }
}

/** @linux gicv2m_init_one */
function discover(node: FirmwareNode, registers: MmioRegion): V2mFrame {
  const unreadable = variantOfNode(node);
  const spis = spisOfNode(node) ?? readSpis(node, registers, unreadable);
  checkSpis(node.path, spis);
  const variant = unreadable ?? variantOfIidr(registers.read(MSI_IIDR.offset, 4));
  return { base: registers.base, ...spis, variant };
}

function readSpis(node: FirmwareNode, registers: MmioRegion, unreadable: V2mVariant | undefined): SpiRange {
  if (unreadable)
    throw new LinuxError('EINVAL', `${node.path}: ${unreadable.name} needs arm,msi-base-spi and arm,msi-num-spis`);
  return spisOfTyper(registers.read(MSI_TYPER.offset, 4));
}

function join(context: ProbeContext, gic: FirmwareNode, parent: IrqDomain, frame: ServingFrame): IrqDomain {
  const { node, devres, irqs } = context;
  const found = irqs.findDomain(gic, SHARED);
  const shared = found?.ops instanceof V2mDomainOps ? { domain: found, ops: found.ops } : undefined;
  const ops = shared?.ops ?? new V2mDomainOps(gic);
  const domain =
    shared?.domain ??
    irqs.createDomain({
      name: node.path,
      node,
      busToken: 'msi-parent',
      parent,
      ops,
      doorbells: () => [...ops.frames].map(({ doorbell }) => doorbell),
      msiParent: ops,
    });
  devres.add(() => {
    ops.frames.delete(frame);
    if (ops.frames.size > 0) return;
    irqs.removeAlias(gic, SHARED);
    irqs.removeDomain(domain);
  });
  if (!shared) irqs.aliasDomain(gic, SHARED, domain);
  else {
    irqs.aliasDomain(node, 'msi-parent', domain);
    devres.add(() => irqs.removeAlias(node, 'msi-parent'));
  }
  ops.frames.add(frame);
  return domain;
}
