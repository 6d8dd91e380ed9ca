// SPDX-License-Identifier: Apache-2.0
// A process as VFIO sees it: descriptors, an address space, and limits on what it may lock.

import { ERRNO, LinuxError } from '@irqkit/core';
import { AddressSpace } from './address-space.js';
import type { Protection } from './address-space.js';
import { EventFd } from './event-fd.js';
import type { IoctlArg, OpenFile } from './open-file.js';
import type { PhysicalMemory } from './physical-memory.js';

export interface ProcessOptions {
  /** Where its pages come from: a host's `bus.memory`. */
  readonly memory: PhysicalMemory;
  /** RLIMIT_MEMLOCK; 8 MiB where missing, Linux 6.1's default. */
  readonly memlockBytes?: number;
  /** CAP_IPC_LOCK: it may lock more than that. */
  readonly ipcLock?: boolean;
}

/** What a system call returns: -1 with an errno, or a result of 0 or more with errno 0. */
export interface SyscallResult {
  readonly ret: number;
  readonly errno: number;
}

interface Description {
  readonly file: OpenFile;
  nrFds: number;
}

export class Process {
  readonly mm: AddressSpace;
  /** RLIMIT_MEMLOCK in bytes. */
  memlockBytes: number;
  /** CAP_IPC_LOCK. */
  ipcLock: boolean;
  readonly #fds: (Description | undefined)[] = [];
  #alive = true;

  constructor({ memory, memlockBytes = 8 * 2 ** 20, ipcLock = false }: ProcessOptions) {
    this.mm = new AddressSpace(memory);
    this.memlockBytes = memlockBytes;
    this.ipcLock = ipcLock;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The lowest free descriptor for `file`. @throws LinuxError ESRCH after exit, with the file released */
  install(file: OpenFile): number {
    return this.#install({ file, nrFds: 0 });
  }

  /** A second descriptor of what `fd` stands for. @throws LinuxError EBADF @linux dup */
  dup(fd: number): number {
    return this.#install(this.#description(fd));
  }

  /** @throws LinuxError EBADF */
  file(fd: number): OpenFile {
    return this.#description(fd).file;
  }

  /** @throws LinuxError EBADF for a descriptor that is not open, EINVAL for one that is no eventfd @linux eventfd_ctx_fdget */
  eventFd(fd: number): EventFd {
    const file = this.file(fd);
    if (file instanceof EventFd) return file;
    throw new LinuxError('EINVAL', `fd ${fd}: ${file.path} is no eventfd`);
  }

  /** @throws LinuxError EBADF */
  close(fd: number): void {
    const description = this.#description(fd);
    this.#fds[fd] = undefined;
    description.nrFds--;
    if (description.nrFds === 0) description.file.release();
  }

  /** The system call: errors of the file are results. Throws only what is no LinuxError. */
  ioctl(fd: number, request: number, arg: IoctlArg): SyscallResult {
    try {
      const { file } = this.#description(fd);
      if (!file.ioctl) throw new LinuxError('ENOTTY', `${file.path}: no ioctls`);
      return { ret: file.ioctl(request, arg, this), errno: 0 };
    } catch (error) {
      if (LinuxError.is(error)) return { ret: -1, errno: ERRNO[error.code] };
      throw error;
    }
  }

  /** pread. @throws LinuxError EBADF, EINVAL; what the file throws */
  read(fd: number, offset: number, into: Uint8Array): number {
    const file = this.file(fd);
    if (!file.read) throw new LinuxError('EINVAL', `${file.path}: cannot be read`);
    return file.read(offset, into);
  }

  /** pwrite. @throws LinuxError EBADF, EINVAL; what the file throws */
  write(fd: number, offset: number, from: Uint8Array): number {
    const file = this.file(fd);
    if (!file.write) throw new LinuxError('EINVAL', `${file.path}: cannot be written`);
    return file.write(offset, from);
  }

  /**
   * Maps `sizeBytes` at `offset` of a file. @returns where
   * @throws LinuxError EBADF, ENODEV for a file that cannot be mapped, EEXIST where `vaddr` is taken; what the file throws
   */
  mmap(fd: number, offset: number, sizeBytes: number, protection: Protection, vaddr?: number): number {
    const file = this.file(fd);
    if (!file.mmap) throw new LinuxError('ENODEV', `${file.path}: cannot be mapped`);
    return this.mm.mapDevice(file.mmap(offset, sizeBytes), protection, vaddr);
  }

  /** Death: every mapping goes, then every descriptor, ascending. A second call does nothing. @linux do_exit */
  exit(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.mm.exit();
    const errors: unknown[] = [];
    this.#fds.forEach((description, fd) => {
      if (!description) return;
      try {
        this.close(fd);
      } catch (error) {
        errors.push(error);
      }
    });
    if (errors.length > 0) throw new AggregateError(errors, 'a file of the process was not released');
  }

  #install(description: Description): number {
    if (!this.#alive) {
      if (description.nrFds === 0) description.file.release();
      throw new LinuxError('ESRCH', `${description.file.path}: the process is dead`);
    }
    let fd = 3;
    while (this.#fds[fd]) fd++;
    this.#fds[fd] = description;
    description.nrFds++;
    return fd;
  }

  #description(fd: number): Description {
    const description = this.#fds[fd];
    if (description) return description;
    throw new LinuxError('EBADF', `fd ${fd} is not open`);
  }
}
