// SPDX-License-Identifier: Apache-2.0
// MSI or MSI-X vectors that signal eventfds. Source: the behaviour of Linux 6.1 vfio_msi_enable, vfio_msi_set_vector_signal.

import { LinuxError, MSI_FLAG, msiGetDomainInfo } from '@irqkit/core';
import type { IrqCore, IrqHandler } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';
import { IRQ_INDEX } from '../../abi/device-requests.js';
import type { EventFd } from '../../process/event-fd.js';
import type { EventFds } from './event-fds.js';
import { withMemoryDecoding } from './memory-decoding.js';

interface Vector {
  readonly virq: number;
  trigger: { readonly eventFd: EventFd; readonly handler: IrqHandler } | undefined;
}

export type MessageIndex = typeof IRQ_INDEX.MSI | typeof IRQ_INDEX.MSIX;

/** Nothing was enabled, but so many could be: user space is told. */
export type Fewer = { readonly supported: number };

export class MessageVectors {
  readonly index: MessageIndex;
  readonly #device: PciDevice;
  readonly #irqs: IrqCore;
  readonly #vectors: readonly Vector[];

  private constructor(device: PciDevice, irqs: IrqCore, index: MessageIndex, virqs: readonly number[]) {
    this.#device = device;
    this.#irqs = irqs;
    this.index = index;
    this.#vectors = virqs.map((virq) => ({ virq, trigger: undefined }));
  }

  /**
   * Enables the first `nr` vectors, all masked.
   * @throws LinuxError ERANGE for none; as PciDevice.enableMsi and enableMsix, with nothing enabled
   */
  static enable(device: PciDevice, irqs: IrqCore, index: MessageIndex, nr: number): MessageVectors | Fewer {
    if (nr === 0) throw new LinuxError('ERANGE', `${device.name}: no vectors to enable`);
    const enable = (): MessageVectors | Fewer => {
      if (index === IRQ_INDEX.MSIX) return new MessageVectors(device, irqs, index, device.enableMsix(nr));
      const virqs = enableMsi(device, nr);
      return virqs ? new MessageVectors(device, irqs, index, virqs) : { supported: 1 };
    };
    return withMemoryDecoding(device, enable, () => device.freeVectors());
  }

  get count(): number {
    return this.#vectors.length;
  }

  /** Gives each vector from `start` on its eventfd, or takes it away: all, or in the end none of them has one. */
  setBlock(start: number, fds: readonly number[], eventFds: EventFds): void {
    if (start >= this.count || start + fds.length > this.count)
      throw new LinuxError('EINVAL', `${this.#device.name}: vectors ${start}+${fds.length} of ${this.count}`);
    let done = start;
    try {
      for (const fd of fds) {
        this.#set(this.#vectors[done], done, fd, eventFds);
        done++;
      }
    } catch (error) {
      for (let i = done; i >= start; i--) this.#clear(this.#vectors[i]);
      throw error;
    }
  }

  /** As if the interrupt had come; vectors without an eventfd are passed over. @throws LinuxError EINVAL */
  loopback(start: number, wanted: readonly boolean[]): void {
    if (start + wanted.length > this.count)
      throw new LinuxError('EINVAL', `${this.#device.name}: vectors ${start}+${wanted.length} of ${this.count}`);
    wanted.forEach((signal, i) => {
      if (signal) this.#vectors[start + i].trigger?.eventFd.signal();
    });
  }

  /** No vector has an eventfd, and none is left. @linux vfio_msi_disable */
  disable(): void {
    for (const vector of this.#vectors) this.#clear(vector);
    withMemoryDecoding(this.#device, () => this.#device.freeVectors());
  }

  #set(vector: Vector, number: number, fd: number, eventFds: EventFds): void {
    this.#clear(vector);
    if (fd < 0) return;
    const eventFd = eventFds.eventFd(fd);
    const handler = (): boolean => {
      eventFd.signal();
      return true;
    };
    const name = `vfio-msi${this.index === IRQ_INDEX.MSIX ? 'x' : ''}[${number}](${this.#device.name})`;
    withMemoryDecoding(this.#device, () => {
      this.#request(vector.virq, handler, name);
      vector.trigger = { eventFd, handler };
    });
  }

  #request(virq: number, handler: IrqHandler, name: string): void {
    try {
      this.#irqs.requestIrq(virq, handler, name);
    } catch (error) {
      this.#irqs.deactivate(virq);
      throw error;
    }
  }

  // An interrupt without a handler has no message either. @linux free_irq, irq_shutdown_and_deactivate
  #clear(vector: Vector): void {
    const { trigger, virq } = vector;
    if (!trigger) return;
    vector.trigger = undefined;
    withMemoryDecoding(this.#device, () => {
      this.#irqs.freeIrq(virq, trigger.handler);
      this.#irqs.deactivate(virq);
    });
  }
}

/**
 * MSI comes in powers of two, of which user space has the first `nr`. Undefined where the controller serves one message only.
 * @linux __pci_enable_msi_range
 */
function enableMsi(device: PciDevice, nr: number): readonly number[] | undefined {
  const info = device.msiDomain && msiGetDomainInfo(device.msiDomain);
  if (nr > 1 && info && (info.flags & MSI_FLAG.MULTI_PCI_MSI) === 0) return undefined;
  return device.enableMsi(2 ** Math.ceil(Math.log2(nr))).slice(0, nr);
}
