// SPDX-License-Identifier: Apache-2.0
// VFIO_DEVICE_SET_IRQS: what each index does with each action. One of INTx, MSI and MSI-X is enabled at a time. Source: the
// behaviour of Linux 6.1 drivers/vfio/pci/vfio_pci_intrs.c.

import { LinuxError } from '@irqkit/core';
import type { IrqCore } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';
import { IRQ_SET_ACTION, IRQ_SET_DATA } from '../../abi/device-irq-set.js';
import type { IrqSet } from '../../abi/device-irq-set.js';
import { IRQ_INDEX } from '../../abi/device-requests.js';
import { CAP_ID, Interrupt_Pin, MSIX_Message_Control, MSI_Message_Control } from '../config/config-regs.js';
import type { EventFds } from './event-fds.js';
import { EnabledIntx, IntxPin } from './intx.js';
import { MessageVectors } from './message-vectors.js';
import type { MessageIndex } from './message-vectors.js';
import { SingleTrigger } from './single-trigger.js';

export class DeviceInterrupts {
  /** Signalled by uncorrectable errors. */
  readonly error = new SingleTrigger();
  /** Signalled where the host wants the device back. */
  readonly request = new SingleTrigger();
  readonly #device: PciDevice;
  readonly #irqs: IrqCore;
  readonly #pin: IntxPin;
  #intx: EnabledIntx | undefined;
  #messages: MessageVectors | undefined;

  constructor(device: PciDevice, irqs: IrqCore) {
    this.#device = device;
    this.#irqs = irqs;
    this.#pin = new IntxPin(device);
    if (this.#pin.maskable) this.#pin.setDisabled(false);
  }

  /** How many interrupts an index has. @linux vfio_pci_get_irq_count */
  count(index: number): number {
    const { config } = this.#device;
    switch (index) {
      case IRQ_INDEX.INTX:
        return config.get(Interrupt_Pin) === 0 ? 0 : 1;
      case IRQ_INDEX.MSI: {
        const at = this.#device.findCapability(CAP_ID.MSI);
        if (at === undefined) return 0;
        return 2 ** MSI_Message_Control.Multiple_Message_Capable(config.get(MSI_Message_Control, at));
      }
      case IRQ_INDEX.MSIX: {
        const at = this.#device.findCapability(CAP_ID.MSIX);
        return at === undefined ? 0 : MSIX_Message_Control.Table_Size(config.get(MSIX_Message_Control, at)) + 1;
      }
      case IRQ_INDEX.ERR:
        return this.#isExpress ? 1 : 0;
      case IRQ_INDEX.REQ:
        return 1;
      default:
        return 0;
    }
  }

  /**
   * @returns 0, or how many messages could be enabled where it is fewer than asked for: then none is
   * @throws LinuxError ENOTTY for an action that the index has not, EINVAL, EBADF, ERANGE; what enabling throws
   */
  set(irqSet: IrqSet, eventFds: EventFds): number {
    const { index, action } = irqSet;
    switch (index) {
      case IRQ_INDEX.INTX:
        if (action === IRQ_SET_ACTION.TRIGGER) return this.#triggerIntx(irqSet, eventFds);
        if (action === IRQ_SET_ACTION.MASK || action === IRQ_SET_ACTION.UNMASK) return this.#maskIntx(irqSet, eventFds);
        break;
      case IRQ_INDEX.MSI:
      case IRQ_INDEX.MSIX:
        if (action === IRQ_SET_ACTION.TRIGGER) return this.#triggerMessages(index, irqSet, eventFds);
        break;
      case IRQ_INDEX.ERR:
      case IRQ_INDEX.REQ:
        if (action !== IRQ_SET_ACTION.TRIGGER || (index === IRQ_INDEX.ERR && !this.#isExpress)) break;
        (index === IRQ_INDEX.ERR ? this.error : this.request).set(this.#device.name, irqSet, eventFds);
        return 0;
    }
    throw new LinuxError('ENOTTY', `${this.#device.name}: action ${action} on interrupt index ${index}`);
  }

  /** The user's Interrupt Disable bit: the device's follows, also while the pin is not used. */
  setIntxDisabled(disabled: boolean): void {
    this.#pin.disabledByUser = disabled;
    if (!this.#intx) {
      if (this.#pin.maskable) this.#pin.setDisabled(disabled);
    } else if (disabled) this.#intx.mask();
    else this.#intx.unmask();
  }

  /** Of MSI, while it is enabled. @linux vfio_pci_core_device.msi_qmax */
  get msiLog2Vectors(): number | undefined {
    return this.#messages?.index === IRQ_INDEX.MSI ? Math.ceil(Math.log2(this.#messages.count)) : undefined;
  }

  /** Nothing is enabled, and nothing signalled any more. */
  release(): void {
    this.#disableIntx();
    this.#disableMessages();
    this.error.release();
    this.request.release();
  }

  get #isExpress(): boolean {
    return this.#device.findCapability(CAP_ID.EXPRESS) !== undefined;
  }

  /** @linux vfio_pci_set_intx_trigger */
  #triggerIntx({ start, count, data, bools, fds }: IrqSet, eventFds: EventFds): number {
    if (this.#intx && count === 0 && data === IRQ_SET_DATA.NONE) {
      this.#disableIntx();
      return 0;
    }
    if (this.#messages || start !== 0 || count !== 1) throw this.#invalid('INTx', start, count);
    if (data === IRQ_SET_DATA.EVENTFD) this.#setIntx(fds[0], eventFds);
    else if (!this.#intx) throw this.#invalid('INTx', start, count);
    else if (data === IRQ_SET_DATA.NONE || bools[0]) this.#intx.signal();
    return 0;
  }

  #setIntx(fd: number, eventFds: EventFds): void {
    if (this.#intx) return this.#intx.setTrigger(fd, eventFds);
    const intx = new EnabledIntx(this.#pin, this.#irqs);
    intx.setTrigger(fd, eventFds);
    this.#intx = intx;
  }

  /** @linux vfio_pci_set_intx_mask, vfio_pci_set_intx_unmask */
  #maskIntx({ action, start, count, data, bools, fds }: IrqSet, eventFds: EventFds): number {
    const masks = action === IRQ_SET_ACTION.MASK;
    if (!this.#intx || start !== 0 || count !== 1) throw this.#invalid('INTx', start, count);
    if (data === IRQ_SET_DATA.EVENTFD) {
      if (masks) throw new LinuxError('ENOTTY', `${this.#device.name}: an eventfd cannot mask`);
      this.#intx.setUnmask(fds[0], eventFds);
    } else if (data === IRQ_SET_DATA.NONE || bools[0]) {
      if (masks) this.#intx.mask();
      else this.#intx.unmask();
    }
    return 0;
  }

  /** @linux vfio_pci_set_msi_trigger */
  #triggerMessages(index: MessageIndex, { start, count, data, bools, fds }: IrqSet, eventFds: EventFds): number {
    const enabled = this.#messages?.index === index ? this.#messages : undefined;
    if (enabled && count === 0 && data === IRQ_SET_DATA.NONE) {
      this.#disableMessages();
      return 0;
    }
    if (this.#intx || (this.#messages && !enabled)) throw this.#invalid('messages', start, count);
    if (data === IRQ_SET_DATA.EVENTFD) {
      if (!enabled) return this.#enableMessages(index, start, fds, eventFds);
      enabled.setBlock(start, fds, eventFds);
    } else if (!enabled) throw this.#invalid('messages', start, count);
    else enabled.loopback(start, data === IRQ_SET_DATA.BOOL ? bools : new Array<boolean>(count).fill(true));
    return 0;
  }

  #enableMessages(index: MessageIndex, start: number, fds: readonly number[], eventFds: EventFds): number {
    const messages = MessageVectors.enable(this.#device, this.#irqs, index, start + fds.length);
    if ('supported' in messages) return messages.supported;
    try {
      messages.setBlock(start, fds, eventFds);
    } catch (error) {
      messages.disable();
      throw error;
    }
    this.#messages = messages;
    return 0;
  }

  #disableIntx(): void {
    const intx = this.#intx;
    this.#intx = undefined;
    intx?.disable();
  }

  #disableMessages(): void {
    const messages = this.#messages;
    this.#messages = undefined;
    messages?.disable();
  }

  #invalid(what: string, start: number, count: number): LinuxError {
    return new LinuxError('EINVAL', `${this.#device.name}: ${what} ${start}+${count} as interrupts are enabled now`);
  }
}
