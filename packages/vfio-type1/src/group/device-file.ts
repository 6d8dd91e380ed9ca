// SPDX-License-Identifier: Apache-2.0
// One descriptor of a device.

import { LinuxError } from '@irqkit/core';
import type { DeviceMemory, IoctlArg, OpenFile } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import type { OpenDevice } from './open-device.js';

export class DeviceFile implements OpenFile {
  readonly #open: OpenDevice;
  readonly #onReleased: () => void;

  constructor(open: OpenDevice, onReleased: () => void) {
    this.#open = open;
    this.#onReleased = onReleased;
  }

  get path(): string {
    return `vfio device ${this.#open.device.name}`;
  }

  ioctl(request: number, arg: IoctlArg, caller: Process): number {
    return this.#open.fd.ioctl(request, arg, caller);
  }

  read(offset: number, into: Uint8Array): number {
    return this.#open.fd.read(offset, into);
  }

  write(offset: number, from: Uint8Array): number {
    return this.#open.fd.write(offset, from);
  }

  mmap(offset: number, sizeBytes: number): DeviceMemory {
    if (!this.#open.fd.mmap) throw new LinuxError('EINVAL', `${this.path}: cannot be mapped`);
    return this.#open.fd.mmap(offset, sizeBytes);
  }

  release(): void {
    try {
      this.#open.put();
    } finally {
      this.#onReleased();
    }
  }
}
