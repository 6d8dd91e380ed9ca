// SPDX-License-Identifier: Apache-2.0
// The domain that MSI domains stand on: hwirqs are LPIs, and the GIC's domain is below. @linux its_domain_ops

import { hex } from '@irqkit/bits';
import { LinuxError, MSI_FLAG } from '@irqkit/core';
import type { Device, IrqAllocInfo, IrqChip, IrqData, IrqDomain, IrqDomainOps, MsiParentOps } from '@irqkit/core';
import type { Collections } from './collections.js';
import type { CommandQueue } from './command-queue.js';
import { discard, mapti } from './command-words.js';
import type { GicLpis } from './gic-lpis.js';
import type { ItsDevice } from './its-device.js';
import type { ItsDevices } from './its-devices.js';

/** What the operations on one ITS's interrupts work with. */
export interface ItsParts {
  readonly path: string;
  readonly queue: CommandQueue;
  readonly collections: Collections;
  readonly devices: ItsDevices;
  readonly lpis: GicLpis;
}

/** An interrupt's device, and its number there. @linux its_get_event_id */
export function eventOf(data: IrqData): { readonly device: ItsDevice; readonly eventId: number } {
  const device = data.chipData as ItsDevice;
  return { device, eventId: data.hwirq - device.firstLpi };
}

export class ItsDomainOps implements IrqDomainOps, MsiParentOps {
  readonly supportedFlags = MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX;
  /** Shared by every ITS of the GIC. */
  readonly lpis: GicLpis;
  readonly #parts: ItsParts;
  readonly #chip: IrqChip;

  constructor(parts: ItsParts, chip: IrqChip) {
    this.lpis = parts.lpis;
    this.#parts = parts;
    this.#chip = chip;
  }

  prepare(_domain: IrqDomain, device: Device, nr: number): () => void {
    return this.#parts.devices.prepare(device, nr);
  }

  /**
   * @throws LinuxError EINVAL for a device that is not prepared, ENOSPC where it has no `nr` EventIDs in a block; what the
   * GIC throws @linux its_irq_domain_alloc
   */
  alloc(domain: IrqDomain, virq: number, nr: number, info: IrqAllocInfo): void {
    const { path, devices } = this.#parts;
    const device = info.device && devices.find(info.device.msiDeviceId);
    if (!device) throw new LinuxError('EINVAL', `${path}: asked for an interrupt of a device that is not prepared`);
    const eventId = device.takeEvents(nr);
    if (eventId < 0)
      throw new LinuxError('ENOSPC', `${path}: no room for ${nr} vectors of DeviceID ${hex(device.deviceId)}`);
    let taken = 0;
    try {
      for (; taken < nr; taken++) {
        const hwirq = device.firstLpi + eventId + taken;
        domain.allocParent(virq + taken, 1, { ...info, hwirq });
        domain.setInfo(virq + taken, hwirq, this.#chip, device);
      }
    } catch (error) {
      domain.freeParent(virq, taken);
      device.giveEvents(eventId, nr);
      throw error;
    }
  }

  free(domain: IrqDomain, virq: number, nr: number): void {
    const { device, eventId } = eventOf(domain.irqData(virq));
    domain.freeParent(virq, nr);
    device.giveEvents(eventId, nr);
  }

  /** @throws LinuxError EINVAL with no processor online; what the command queue throws @linux its_irq_domain_activate */
  activate(_domain: IrqDomain, data: IrqData): void {
    const { path, queue, collections, lpis } = this.#parts;
    const { device, eventId } = eventOf(data);
    const wanted = collections.online(data.common.affinity);
    const cpu = lpis.leastLoaded(wanted.length > 0 ? wanted : collections.allOnline);
    if (cpu < 0) throw new LinuxError('EINVAL', `${path}: no processor takes LPI ${data.hwirq}`);
    queue.issue(mapti(device.deviceId, eventId, data.hwirq, cpu), {
      syncTarget: collections.targetOf(cpu),
      undo: discard(device.deviceId, eventId),
    });
    lpis.load[cpu]++;
    device.setCpu(eventId, cpu);
    data.common.effectiveAffinity = [cpu];
  }

  /** @linux its_irq_domain_deactivate */
  deactivate(_domain: IrqDomain, data: IrqData): void {
    const { queue, collections, lpis } = this.#parts;
    const { device, eventId } = eventOf(data);
    const cpu = device.cpuOf(eventId);
    queue.takeBack(discard(device.deviceId, eventId), collections.targetOf(cpu));
    lpis.load[cpu]--;
    device.unsetCpu(eventId);
    data.common.effectiveAffinity = [];
  }
}
