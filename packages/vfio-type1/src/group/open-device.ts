// SPDX-License-Identifier: Apache-2.0
// A device between its first descriptor and its last.

import type { Device } from '@irqkit/core';
import type { VfioDeviceDriver, VfioDeviceFd } from '../device-driver.js';

export class OpenDevice {
  readonly device: Device;
  readonly fd: VfioDeviceFd;
  readonly #onClosed: () => void;
  #nrFds = 1;

  /** @throws what the driver throws */
  constructor(device: Device, driver: VfioDeviceDriver, onClosed: () => void) {
    this.device = device;
    this.fd = driver.openDevice(device);
    this.#onClosed = onClosed;
  }

  /** For one more descriptor. */
  get(): this {
    this.#nrFds++;
    return this;
  }

  put(): void {
    this.#nrFds--;
    if (this.#nrFds > 0) return;
    try {
      this.fd.close();
    } finally {
      this.#onClosed();
    }
  }
}
