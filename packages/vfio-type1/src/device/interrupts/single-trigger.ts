// SPDX-License-Identifier: Apache-2.0
// An eventfd that the host signals for a reason of its own: an error, or a request to give the device back. Source: the behaviour of
// Linux 6.1 vfio_pci_set_ctx_trigger_single.

import { LinuxError } from '@irqkit/core';
import { IRQ_SET_DATA } from '../../abi/device-irq-set.js';
import type { IrqSet } from '../../abi/device-irq-set.js';
import type { EventFd } from '../../process/event-fd.js';
import type { EventFds } from './event-fds.js';

export class SingleTrigger {
  #eventFd: EventFd | undefined;

  get armed(): boolean {
    return this.#eventFd !== undefined;
  }

  signal(): void {
    this.#eventFd?.signal();
  }

  release(): void {
    this.#eventFd = undefined;
  }

  /** @throws LinuxError EINVAL, EBADF */
  set(path: string, { start, count, data, bools, fds }: IrqSet, eventFds: EventFds): void {
    const nothing = new LinuxError('EINVAL', `${path}: interrupts ${start}+${count} with data ${data}`);
    if (start !== 0 || count > 1) throw nothing;
    switch (data) {
      case IRQ_SET_DATA.NONE:
        if (!this.#eventFd) throw nothing;
        if (count > 0) this.signal();
        else this.release();
        break;
      case IRQ_SET_DATA.BOOL:
        if (count === 0) throw nothing;
        if (bools[0]) this.signal();
        break;
      default:
        if (count === 0) throw nothing;
        if (fds[0] >= 0) this.#eventFd = eventFds.eventFd(fds[0]);
        else if (fds[0] === -1) this.release();
    }
  }
}
