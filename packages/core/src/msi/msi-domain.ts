// SPDX-License-Identifier: Apache-2.0
// Bus-level MSI domains: they stand on a controller's domain, and program devices with what it composes (R8-R10).

import type { Iova, PhysAddr } from '../contracts/address.js';
import { LinuxError } from '../contracts/errno.js';
import type { IrqChip, IrqData, MsiMsg } from '../irq/irq-chip.js';
import type { IrqCore } from '../irq/irq-core.js';
import type { BusToken, IrqAllocInfo, IrqDomain, IrqDomainOps } from '../irq/irq-domain.js';
import { parentChip } from '../irq/parent-chip.js';
import type { MsiDesc } from './msi-desc.js';
import type { MsiDomainInfo } from './msi-domain-info.js';

/** The info of an MSI domain; undefined for a domain of another kind. @linux msi_get_domain_info */
export function msiGetDomainInfo(domain: IrqDomain): MsiDomainInfo | undefined {
  return domain.msiInfo;
}

export interface MsiDomainOptions {
  readonly name: string;
  readonly busToken: BusToken;
  /** Its chip's missing operations are filled in; its flags are cut to what the parent serves. */
  readonly info: MsiDomainInfo;
}

/**
 * Stands a bus-level MSI domain on `parent`.
 * @throws LinuxError EINVAL where `parent` takes no MSI domains @linux msi_create_irq_domain
 */
export function createMsiDomain(irqs: IrqCore, parent: IrqDomain, options: MsiDomainOptions): IrqDomain {
  if (!parent.msiParent) throw new LinuxError('EINVAL', `${parent.name}: no MSI domain can stand on it`);
  const programmer = new MessageProgrammer(irqs);
  const info: MsiDomainInfo = {
    ...options.info,
    flags: options.info.flags & parent.msiParent.supportedFlags,
    chip: { ...msiChip(programmer), ...options.info.chip },
  };
  return irqs.createDomain({
    name: options.name,
    node: undefined,
    busToken: options.busToken,
    parent,
    ops: msiDomainOps(info, programmer),
    msiInfo: info,
  });
}

function descOf(data: IrqData): MsiDesc {
  const desc = data.common.msiDesc;
  if (!desc) throw new LinuxError('EINVAL', `irq ${data.virq} is no MSI`);
  return desc;
}

function msiDomainOps(info: MsiDomainInfo, programmer: MessageProgrammer): IrqDomainOps {
  return {
    alloc(domain: IrqDomain, virq: number, nr: number, request: IrqAllocInfo) {
      if (!request.desc) throw new LinuxError('EINVAL', `${domain.name}: asked for an interrupt that is no MSI`);
      const hwirq = info.hwirqOf(request.desc);
      if (domain.find(hwirq)) throw new LinuxError('EEXIST', `${domain.name}: hwirq ${hwirq} is already mapped`);
      domain.allocParent(virq, nr, request);
      for (let i = 0; i < nr; i++) {
        domain.setInfo(virq + i, hwirq + i, info.chip);
        domain.irqData(virq + i).common.msiDesc = request.desc;
      }
    },
    free(domain: IrqDomain, virq: number, nr: number) {
      domain.freeParent(virq, nr);
    },
    activate(_domain: IrqDomain, data: IrqData) {
      const msg = programmer.message(data);
      try {
        programmer.program(data, msg);
      } catch (error) {
        programmer.rewrite(data, { address: 0 as PhysAddr, data: 0 });
        throw error;
      }
    },
    deactivate(_domain: IrqDomain, data: IrqData) {
      programmer.program(data, { address: 0 as PhysAddr, data: 0 });
    },
  };
}

/** @linux MSI_FLAG_USE_DEF_CHIP_OPS */
function msiChip(
  programmer: MessageProgrammer,
): Required<Pick<IrqChip, 'mask' | 'unmask' | 'eoi' | 'ack' | 'setAffinity' | 'retrigger' | 'writeMsiMsg'>> {
  return {
    mask(data) {
      setMaskedAtDevice(data, true);
      parentChip.mask(data);
    },
    unmask(data) {
      setMaskedAtDevice(data, false);
      parentChip.unmask(data);
    },
    eoi: parentChip.eoi,
    ack: parentChip.ack,
    retrigger: parentChip.retrigger,
    setAffinity(data, cpus) {
      programmer.move(data, cpus);
    },
    writeMsiMsg(data, msg) {
      descOf(data).hardware.write(msg);
    },
  };
}

function setMaskedAtDevice(data: IrqData, masked: boolean): void {
  const desc = descOf(data);
  desc.hardware.setMasked?.(data.virq - desc.virq, masked);
}

/** Composes messages, replaces physical addresses by bound IOVAs, and writes them to devices. */
class MessageProgrammer {
  readonly #irqs: IrqCore;

  constructor(irqs: IrqCore) {
    this.#irqs = irqs;
  }

  /** @throws LinuxError EINVAL where no chip composes one, or the doorbell has no binding */
  message(data: IrqData): MsiMsg {
    const msg: MsiMsg = { address: 0 as PhysAddr, data: 0 };
    compose(data, msg);
    const { device } = descOf(data);
    if (device.msiTranslation) {
      const bound: Iova | undefined = device.msiTranslation.iovaOf(msg.address as PhysAddr);
      if (bound === undefined) {
        const warning = `${device.name}: doorbell 0x${msg.address.toString(16)} has no binding`;
        this.#irqs.log.warn(warning);
        throw new LinuxError('EINVAL', warning);
      }
      msg.address = bound;
    }
    return msg;
  }

  /** Writes `msg` to the device, once for all vectors of a block. @linux pci_msi_domain_write_msg */
  program(data: IrqData, msg: MsiMsg): void {
    const desc = descOf(data);
    if (data.virq !== desc.virq) return;
    data.chip.writeMsiMsg?.(data, msg);
    desc.msg.address = msg.address;
    desc.msg.data = msg.data;
  }

  /** After a write that failed on the way, which may have left half of another message; a device that takes nothing is warned of. */
  rewrite(data: IrqData, msg: MsiMsg): void {
    try {
      this.program(data, msg);
    } catch (error) {
      this.#irqs.log.warn(
        `${descOf(data).device.name}: irq ${data.virq} is left with half a message: ${String(error)}`,
      );
    }
  }

  /** Moves the interrupt and, where that changes the message, rewrites it. A failure leaves both as they were. */
  move(data: IrqData, cpus: readonly number[]): void {
    const before = data.common.effectiveAffinity;
    parentChip.setAffinity(data, cpus);
    if (!data.activated) return;
    const first = this.#irqs.irqData(descOf(data).virq);
    const now = { ...descOf(data).msg };
    let written = false;
    try {
      const msg = this.message(first);
      if (msg.address === now.address && msg.data === now.data) return;
      written = true;
      this.program(first, msg);
    } catch (error) {
      if (written) this.rewrite(first, now);
      if (before.length > 0) parentChip.setAffinity(data, before);
      throw error;
    }
  }
}

/** @throws LinuxError ENOSYS where no level composes messages @linux irq_chip_compose_msi_msg */
function compose(data: IrqData, msg: MsiMsg): void {
  for (let level: IrqData | undefined = data; level; level = level.parent)
    if (level.chip.composeMsiMsg) {
      level.chip.composeMsiMsg(level, msg);
      return;
    }
  throw new LinuxError('ENOSYS', `irq ${data.virq}: no level composes its message`);
}
