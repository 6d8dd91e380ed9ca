// SPDX-License-Identifier: Apache-2.0
// Enabling a device's MSIs: everything is taken before any vector is usable, and undone in reverse when a step fails (R7).

import type { PhysAddr } from '../contracts/address.js';
import type { Device } from '../contracts/device.js';
import { LinuxError } from '../contracts/errno.js';
import { Devres } from '../host/devres.js';
import type { IrqCore } from '../irq/irq-core.js';
import type { IrqDomain } from '../irq/irq-domain.js';
import { lookupDoorbell } from './doorbell-lookup.js';
import type { MsiDesc, MsiHardware } from './msi-desc.js';
import { MSI_FLAG } from './msi-domain-info.js';
import { msiGetDomainInfo } from './msi-domain.js';

/** One desc that a bus asks for. */
export interface MsiDescSpec {
  readonly index: number;
  /** A power of two; more than 1 for multi-MSI only. */
  readonly nrVectors: number;
  readonly hardware: MsiHardware;
}

/**
 * Allocates, binds and programs every vector of a device.
 * @returns the descs, in the order of `specs`; also found as `device.msiDescs`
 * @throws LinuxError ENODEV for a device with no MSI domain, EINVAL for one whose MSIs are enabled or an odd count,
 * EOPNOTSUPP for multi-MSI where the controller has none; what the controller or the binding throws
 * @linux msi_domain_alloc_irqs
 */
export function msiDomainAllocIrqs(irqs: IrqCore, device: Device, specs: readonly MsiDescSpec[]): readonly MsiDesc[] {
  const domain = msiDomainOf(device, specs);
  const undo = new Devres();
  try {
    const prepare = findMsiParent(domain);
    const nrVectors = specs.reduce((sum, spec) => sum + spec.nrVectors, 0);
    const unprepare = prepare?.msiParent?.prepare?.(prepare, device, nrVectors);
    if (unprepare) undo.add(unprepare);
    for (const spec of specs) allocDesc(irqs, domain, device, spec, undo);
    for (const desc of device.msiDescs)
      for (let i = 0; i < desc.nrVectors; i++) {
        const virq = desc.virq + i;
        irqs.activate(virq);
        undo.add(() => irqs.deactivate(virq));
      }
  } catch (error) {
    undo.releaseAll();
    throw error;
  }
  irqs.msiResources.set(device, undo);
  return device.msiDescs;
}

/**
 * Silences the device, then releases everything `msiDomainAllocIrqs` took, in reverse. Nothing to do is no error.
 * @throws LinuxError EBUSY while a vector has a handler @linux msi_domain_free_irqs
 */
export function msiDomainFreeIrqs(irqs: IrqCore, device: Device): void {
  for (const desc of device.msiDescs)
    for (let i = 0; i < desc.nrVectors; i++) {
      const [action] = irqs.irqDesc(desc.virq + i).actions;
      if (action) throw new LinuxError('EBUSY', `${device.name}: ${action.name} still handles irq ${desc.virq + i}`);
    }
  const resources = irqs.msiResources.get(device);
  irqs.msiResources.delete(device);
  resources?.releaseAll();
}

function msiDomainOf(device: Device, specs: readonly MsiDescSpec[]): IrqDomain {
  const domain = device.msiDomain;
  const info = domain && msiGetDomainInfo(domain);
  if (!domain || !info) throw new LinuxError('ENODEV', `${device.name}: no MSI domain`);
  if (device.msiDescs.length > 0) throw new LinuxError('EINVAL', `${device.name}: MSIs are already enabled`);
  for (const { nrVectors } of specs) {
    if (!Number.isInteger(nrVectors) || nrVectors < 1 || !Number.isInteger(Math.log2(nrVectors)))
      throw new LinuxError('EINVAL', `${device.name}: ${nrVectors} vectors are no power of two`);
    if (nrVectors > 1 && (info.flags & MSI_FLAG.MULTI_PCI_MSI) === 0)
      throw new LinuxError('EOPNOTSUPP', `${device.name}: ${domain.name} has no multi-MSI`);
  }
  return domain;
}

function findMsiParent(domain: IrqDomain): IrqDomain | undefined {
  for (let level: IrqDomain | undefined = domain; level; level = level.parent) if (level.msiParent) return level;
  return undefined;
}

function allocDesc(irqs: IrqCore, domain: IrqDomain, device: Device, spec: MsiDescSpec, undo: Devres): void {
  const desc: MsiDesc = { device, ...spec, virq: 0, msg: { address: 0 as PhysAddr, data: 0 } };
  device.msiDescs.push(desc);
  undo.add(() => device.msiDescs.splice(device.msiDescs.indexOf(desc), 1));
  desc.virq = irqs.allocIrqs(domain, desc.nrVectors, { device, desc });
  undo.add(() => {
    irqs.freeIrqs(desc.virq, desc.nrVectors);
    desc.virq = 0;
  });
  for (let i = 0; i < desc.nrVectors; i++) bindDoorbell(irqs, device, desc.virq + i, undo);
}

function bindDoorbell(irqs: IrqCore, device: Device, virq: number, undo: Devres): void {
  const translation = device.msiTranslation;
  const doorbell = translation && lookupDoorbell(irqs.irqData(virq));
  if (!doorbell) return;
  translation.bind(doorbell);
  undo.add(() => translation.unbind(doorbell));
}
