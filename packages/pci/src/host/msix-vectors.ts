// SPDX-License-Identifier: Apache-2.0
// Enabling MSI-X. PCI Express Base Specification 6.1.4 and 7.7.2; Linux 6.1 drivers/pci/msi/msi.c (order of steps, errors).

import { highWord, lowWord } from '@irqkit/bits';
import {
  Devres,
  LinuxError,
  MSI_FLAG,
  msiDomainAllocIrqs,
  msiDomainFreeIrqs,
  msiGetDomainInfo,
  physAddr,
} from '@irqkit/core';
import type { MmioRegion, MsiHardware } from '@irqkit/core';
import { CAP_ID, MSIX_ENTRY, MSIX_Message_Control, MSIX_Table, MSIX_Vector_Control } from '../regs.js';
import { setIntxDisabled } from './intx-disable.js';
import type { EnabledVectors, PciDevice } from './pci-device.js';

/** One entry of the table. */
class MsixEntry implements MsiHardware {
  readonly #table: MmioRegion;
  readonly #at: number;
  /** Vector Control but for its mask bit, which is as asked for last. */
  readonly #control: number;
  #masked: boolean;

  constructor(table: MmioRegion, index: number) {
    this.#table = table;
    this.#at = index * MSIX_ENTRY.bytes;
    this.#control = table.read(this.#at + MSIX_ENTRY.Vector_Control, 4);
    this.#masked = MSIX_Vector_Control.Mask_Bit(this.#control) === 1;
  }

  /** The entry is masked while it changes, as the specification wants. @linux pci_write_msg_msix */
  write(msg: { address: number; data: number }): void {
    if (!this.#masked) this.#mask(1);
    this.#table.write(this.#at + MSIX_ENTRY.Message_Address, lowWord(msg.address), 4);
    this.#table.write(this.#at + MSIX_ENTRY.Message_Upper_Address, highWord(msg.address), 4);
    this.#table.write(this.#at + MSIX_ENTRY.Message_Data, msg.data, 4);
    if (!this.#masked) this.#mask(0);
  }

  setMasked(_offset: number, masked: boolean): void {
    this.#mask(masked ? 1 : 0);
    this.#masked = masked;
  }

  #mask(bit: number): void {
    const control = MSIX_Vector_Control.Mask_Bit.set(this.#control, bit);
    this.#table.write(this.#at + MSIX_ENTRY.Vector_Control, control, 4);
  }
}

/** Everything is undone in reverse where a step fails. @linux msix_capability_init */
export function enableMsix(
  device: PciDevice,
  wanted: number | readonly number[],
): { readonly virqs: readonly number[]; readonly vectors: EnabledVectors } {
  const { irqs, bus } = device.host;
  const at = device.findCapability(CAP_ID.MSIX);
  if (at === undefined) throw new LinuxError('EINVAL', `${device.name}: no MSI-X capability`);
  const indices = entriesOf(device, at, wanted);
  const undo = new Devres();
  try {
    setControl(device, at, { enabled: 1, masked: 1 });
    undo.add(() => setControl(device, at, { enabled: 0, masked: 0 }));
    const table = bus.map(tableRegion(device, at));
    undo.add(() => bus.unmap(table));
    maskAll(table);
    const ascending = [...indices].sort((a, b) => a - b);
    const specs = ascending.map((index) => ({ index, nrVectors: 1, hardware: new MsixEntry(table, index) }));
    const descs = msiDomainAllocIrqs(irqs, device, specs);
    undo.add(() => msiDomainFreeIrqs(irqs, device));
    setIntxDisabled(device.config, true);
    undo.add(() => setIntxDisabled(device.config, false));
    setControl(device, at, { enabled: 1, masked: 0 });
    undo.add(() => {
      maskAll(table);
      setControl(device, at, { enabled: 0, masked: 0 });
    });
    const virqOf = new Map(descs.map(({ index, virq }) => [index, virq]));
    return { virqs: indices.map((index) => virqOf.get(index) ?? 0), vectors: { release: () => undo.releaseAll() } };
  } catch (error) {
    undo.releaseAll();
    throw error;
  }
}

function entriesOf(device: PciDevice, at: number, wanted: number | readonly number[]): readonly number[] {
  const size = MSIX_Message_Control.Table_Size(device.config.get(MSIX_Message_Control, at)) + 1;
  const count = typeof wanted === 'number' ? wanted : wanted.length;
  if (!Number.isInteger(count) || count < 1) throw new LinuxError('EINVAL', `${device.name}: ${count} MSI-X vectors`);
  if (count > size) throw new LinuxError('ENOSPC', `${device.name}: ${count} of ${size} MSI-X vectors`);
  const info = device.msiDomain && msiGetDomainInfo(device.msiDomain);
  if (info && (info.flags & MSI_FLAG.PCI_MSIX) === 0)
    throw new LinuxError('EOPNOTSUPP', `${device.name}: its MSI controller serves no MSI-X`);
  if (typeof wanted === 'number') return Array.from({ length: count }, (_, index) => index);
  const bad = wanted.find(
    (index, i) => !(Number.isInteger(index) && index >= 0 && index < size) || wanted.indexOf(index) !== i,
  );
  if (bad !== undefined) throw new LinuxError('EINVAL', `${device.name}: MSI-X entry ${bad}`);
  return wanted;
}

function setControl(device: PciDevice, at: number, to: { readonly enabled: number; readonly masked: number }): void {
  const control = MSIX_Message_Control.MSIX_Enable.set(device.config.get(MSIX_Message_Control, at), to.enabled);
  device.config.set(MSIX_Message_Control, MSIX_Message_Control.Function_Mask.set(control, to.masked), at);
}

function tableRegion(device: PciDevice, at: number): { base: ReturnType<typeof physAddr>; sizeBytes: number } {
  const table = device.config.get(MSIX_Table, at);
  const size = MSIX_Message_Control.Table_Size(device.config.get(MSIX_Message_Control, at)) + 1;
  const bar = device.barRegion(MSIX_Table.BIR(table));
  const offset = MSIX_Table.Offset(table) * 8;
  const sizeBytes = size * MSIX_ENTRY.bytes;
  if (offset + sizeBytes > bar.sizeBytes)
    throw new LinuxError('EINVAL', `${device.name}: the MSI-X table does not fit its BAR`);
  return { base: physAddr(bar.base + offset), sizeBytes };
}

/** Entries that nobody asked for stay masked too. @linux msix_mask_all */
function maskAll(table: MmioRegion): void {
  const { mask } = MSIX_Vector_Control.Mask_Bit;
  for (let at = 0; at < table.sizeBytes; at += MSIX_ENTRY.bytes) table.write(at + MSIX_ENTRY.Vector_Control, mask, 4);
}
