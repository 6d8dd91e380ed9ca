// SPDX-License-Identifier: Apache-2.0
// Enabling MSI. PCI Express Base Specification 6.1.4 and 7.7.1; Linux 6.1 drivers/pci/msi/msi.c (order of steps, errors).

import { highWord, isPowerOfTwo, lowWord } from '@irqkit/bits';
import { LinuxError, MSI_FLAG, msiDomainAllocIrqs, msiDomainFreeIrqs, msiGetDomainInfo } from '@irqkit/core';
import type { MsiHardware } from '@irqkit/core';
import {
  CAP_ID,
  MSI_LAYOUT,
  MSI_MULTIPLE_MESSAGE_MAX,
  MSI_Message_Address,
  MSI_Message_Control,
  MSI_Message_Upper_Address,
} from '../regs.js';
import type { FunctionConfig } from './function-config.js';
import { setIntxDisabled } from './intx-disable.js';
import type { EnabledVectors, PciDevice } from './pci-device.js';

/** The registers of one MSI capability. */
class MsiRegisters implements MsiHardware {
  readonly is64: boolean;
  readonly #config: FunctionConfig;
  readonly #at: number;
  readonly #multiple: number;
  readonly #layout: (typeof MSI_LAYOUT)[number];
  /** The Mask Bits as written last, where the function has them. */
  #mask: number | undefined;

  /** `log2Vectors` goes into Multiple Message Enable with each message. */
  constructor(config: FunctionConfig, at: number, log2Vectors: number) {
    this.#config = config;
    this.#at = at;
    this.#multiple = log2Vectors;
    const control = config.get(MSI_Message_Control, at);
    this.is64 = MSI_Message_Control.Address_64bit_Capable(control) === 1;
    this.#layout = MSI_LAYOUT[this.is64 ? 1 : 0];
    this.#mask = MSI_Message_Control.Per_Vector_Masking_Capable(control) ? this.#readMask() : undefined;
  }

  setEnabled(enabled: boolean): void {
    const control = this.#config.get(MSI_Message_Control, this.#at);
    this.#config.set(MSI_Message_Control, MSI_Message_Control.MSI_Enable.set(control, enabled ? 1 : 0), this.#at);
  }

  /** @linux pci_write_msg_msi */
  write(msg: { address: number; data: number }): void {
    const control = this.#config.get(MSI_Message_Control, this.#at);
    const { Multiple_Message_Enable } = MSI_Message_Control;
    this.#config.set(MSI_Message_Control, Multiple_Message_Enable.set(control, this.#multiple), this.#at);
    this.#config.set(MSI_Message_Address, lowWord(msg.address), this.#at);
    if (this.is64) this.#config.set(MSI_Message_Upper_Address, highWord(msg.address), this.#at);
    this.#config.write(this.#at + this.#layout.Message_Data, msg.data, 2);
  }

  /** @linux pci_msi_mask, pci_msi_unmask */
  setMasked(offset: number, masked: boolean): void {
    const bit = 2 ** offset;
    if (this.#mask !== undefined) this.#writeMask(masked ? this.#mask | bit : this.#mask & ~bit);
  }

  /** Masks or unmasks all vectors in use. */
  setAllMasked(masked: boolean): void {
    const all = 2 ** (2 ** this.#multiple) - 1;
    if (this.#mask !== undefined) this.#writeMask(masked ? this.#mask | all : this.#mask & ~all);
  }

  #readMask(): number {
    return this.#config.read(this.#at + this.#layout.Mask_Bits, 4);
  }

  #writeMask(mask: number): void {
    this.#mask = mask >>> 0;
    this.#config.write(this.#at + this.#layout.Mask_Bits, this.#mask, 4);
  }
}

/** Everything is undone in reverse where a step fails. @linux msi_capability_init */
export function enableMsi(
  device: PciDevice,
  nrVectors: number,
): { readonly virqs: readonly number[]; readonly vectors: EnabledVectors } {
  const { irqs } = device.host;
  const at = device.findCapability(CAP_ID.MSI);
  if (at === undefined) throw new LinuxError('EINVAL', `${device.name}: no MSI capability`);
  if (!isPowerOfTwo(nrVectors)) throw new LinuxError('EINVAL', `${device.name}: ${nrVectors} MSI vectors`);
  checkCount(device, at, nrVectors);
  const registers = new MsiRegisters(device.config, at, Math.log2(nrVectors));
  registers.setEnabled(false);
  registers.setAllMasked(true);
  try {
    const [desc] = msiDomainAllocIrqs(irqs, device, [{ index: 0, nrVectors, hardware: registers }]);
    if (!registers.is64 && highWord(desc.msg.address) !== 0) {
      msiDomainFreeIrqs(irqs, device);
      throw new LinuxError('EIO', `${device.name}: MSI address ${desc.msg.address} needs 64 bits`);
    }
    setIntxDisabled(device.config, true);
    registers.setEnabled(true);
    return {
      virqs: Array.from({ length: nrVectors }, (_, i) => desc.virq + i),
      vectors: {
        release() {
          registers.setEnabled(false);
          setIntxDisabled(device.config, false);
          msiDomainFreeIrqs(irqs, device);
          registers.setAllMasked(false);
        },
      },
    };
  } catch (error) {
    registers.setAllMasked(false);
    throw error;
  }
}

function checkCount(device: PciDevice, at: number, nrVectors: number): void {
  const control = device.config.get(MSI_Message_Control, at);
  const log2Capable = Math.min(MSI_Message_Control.Multiple_Message_Capable(control), MSI_MULTIPLE_MESSAGE_MAX);
  if (nrVectors > 2 ** log2Capable)
    throw new LinuxError('ENOSPC', `${device.name}: ${nrVectors} of ${2 ** log2Capable} MSI vectors`);
  const info = device.msiDomain && msiGetDomainInfo(device.msiDomain);
  if (nrVectors > 1 && info && (info.flags & MSI_FLAG.MULTI_PCI_MSI) === 0)
    throw new LinuxError('ENOSPC', `${device.name}: its MSI controller serves one vector, not ${nrVectors}`);
}
