// SPDX-License-Identifier: Apache-2.0
// The interrupt pin: level-triggered, so it is masked when it comes, until user space unmasks it. Source: the behaviour of Linux
// 6.1 vfio_intx_handler, vfio_pci_intx_mask, vfio_pci_intx_unmask_handler.

import { LinuxError } from '@irqkit/core';
import type { InterruptSpec, IrqCore, IrqHandler } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';
import type { EventFd } from '../../process/event-fd.js';
import { Command, Status } from '../config/config-regs.js';
import type { EventFds } from './event-fds.js';

/** The Interrupt Disable bits: the device's, and the one that user space sees. */
export class IntxPin {
  readonly device: PciDevice;
  /** The device can be masked by its Interrupt Disable bit; others at the interrupt controller. @linux pci_intx_mask_supported */
  readonly maskable: boolean;
  /** User space has disabled it in the Command register. */
  disabledByUser = false;

  constructor(device: PciDevice) {
    this.device = device;
    const { config } = device;
    const before = config.get(Command);
    const flipped = Command.Interrupt_Disable.set(before, 1 - Command.Interrupt_Disable(before));
    config.set(Command, flipped);
    this.maskable = Command.Interrupt_Disable(config.get(Command)) !== Command.Interrupt_Disable(before);
    config.set(Command, before);
  }

  /** @linux pci_intx */
  setDisabled(disabled: boolean): void {
    const { config } = this.device;
    config.set(Command, Command.Interrupt_Disable.set(config.get(Command), disabled ? 1 : 0));
  }

  /** The device asserts it. */
  get asserted(): boolean {
    return Status.Interrupt_Status(this.device.config.get(Status)) === 1;
  }
}

/** The pin while it is enabled. */
export class EnabledIntx {
  readonly #pin: IntxPin;
  readonly #irqs: IrqCore;
  readonly #spec: InterruptSpec;
  #masked: boolean;
  #trigger: { readonly virq: number; readonly eventFd: EventFd; readonly handler: IrqHandler } | undefined;
  #unmaskBy: (() => void) | undefined;

  /** @throws LinuxError ENODEV where the pin leads nowhere @linux vfio_intx_enable */
  constructor(pin: IntxPin, irqs: IrqCore) {
    const spec = pin.device.intx;
    if (!spec) throw new LinuxError('ENODEV', `${pin.device.name}: its interrupt pin leads nowhere`);
    this.#pin = pin;
    this.#irqs = irqs;
    this.#spec = spec;
    this.#masked = pin.disabledByUser;
    if (pin.maskable) pin.setDisabled(this.#masked);
  }

  /** The eventfd to signal; none where `fd` is negative. @throws LinuxError EBADF, EINVAL; as IrqCore.requestIrq */
  setTrigger(fd: number, eventFds: EventFds): void {
    this.#clearTrigger();
    if (fd < 0) return;
    const eventFd = eventFds.eventFd(fd);
    const virq = this.#irqs.createMapping(this.#spec);
    const handler = (): boolean => this.#handle(virq);
    this.#trigger = { virq, eventFd, handler };
    try {
      this.#irqs.requestIrq(virq, handler, `vfio-intx(${this.#pin.device.name})`);
    } catch (error) {
      this.#trigger = undefined;
      this.#unmap(virq);
      throw error;
    }
    if (!this.#pin.maskable && this.#masked) this.#irqs.disable(virq);
  }

  /** As if the interrupt had come. */
  signal(): void {
    if (!this.#pin.disabledByUser) this.#trigger?.eventFd.signal();
  }

  mask(): void {
    if (this.#masked) return;
    if (this.#pin.maskable) this.#pin.setDisabled(true);
    else if (this.#trigger) this.#irqs.disable(this.#trigger.virq);
    this.#masked = true;
  }

  /** What is asserted meanwhile is signalled at once, and stays masked. */
  unmask(): void {
    if (!this.#masked || this.#pin.disabledByUser) return;
    if (!this.#pin.maskable) {
      this.#masked = false;
      if (this.#trigger) this.#irqs.enable(this.#trigger.virq);
    } else if (this.#pin.asserted) this.signal();
    else {
      this.#masked = false;
      this.#pin.setDisabled(false);
    }
  }

  /**
   * Unmasks whenever the eventfd is signalled; a negative `fd` ends that.
   * @throws LinuxError EBADF, EINVAL, EBUSY where one does already @linux vfio_virqfd_enable
   */
  setUnmask(fd: number, eventFds: EventFds): void {
    if (fd < 0) return this.#clearUnmask();
    const eventFd = eventFds.eventFd(fd);
    if (this.#unmaskBy) throw new LinuxError('EBUSY', `${this.#pin.device.name}: an eventfd unmasks it already`);
    const drain = (): void => {
      if (eventFd.count > 0) eventFd.take();
      this.unmask();
    };
    this.#unmaskBy = eventFd.onSignal(drain);
    if (eventFd.count > 0) drain();
  }

  disable(): void {
    this.#clearUnmask();
    this.#clearTrigger();
  }

  // It may be shared: the interrupt of another function is none of ours.
  #handle(virq: number): boolean {
    if (!this.#pin.maskable) {
      if (!this.#masked) this.#irqs.disable(virq);
      this.#masked = true;
    } else {
      if (this.#masked || !this.#pin.asserted) return false;
      this.#masked = true;
      this.#pin.setDisabled(true);
    }
    this.signal();
    return true;
  }

  #clearUnmask(): void {
    this.#unmaskBy?.();
    this.#unmaskBy = undefined;
  }

  #clearTrigger(): void {
    const trigger = this.#trigger;
    if (!trigger) return;
    this.#trigger = undefined;
    this.#irqs.freeIrq(trigger.virq, trigger.handler);
    if (!this.#pin.maskable && this.#masked) this.#irqs.enable(trigger.virq);
    this.#unmap(trigger.virq);
  }

  // Another function may share the wire.
  #unmap(virq: number): void {
    if (this.#irqs.irqDesc(virq).actions.length === 0) this.#irqs.freeIrqs(virq, 1);
  }
}
