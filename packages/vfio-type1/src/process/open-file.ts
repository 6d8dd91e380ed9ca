// SPDX-License-Identifier: Apache-2.0
// What a file descriptor stands for.

import type { PhysAddr } from '@irqkit/core';
import type { Process } from './process.js';

/** A number is the argument itself, a buffer what it points at: its bytes from offset 0 on, read and written in place. */
export type IoctlArg = number | ArrayBuffer;

/** Device memory, as an mmap of a file gives it to a process. */
export interface DeviceMemory {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
}

/** The methods throw LinuxError; one that is missing is an ENOTTY (ioctl), EINVAL (read, write) or ENODEV (mmap). */
export interface OpenFile {
  /** For messages: `/dev/vfio/vfio`. */
  readonly path: string;
  /** @returns what the system call returns, 0 or more */
  ioctl?(request: number, arg: IoctlArg, caller: Process): number;
  /** pread: fills `into` from `offset` on. @returns the bytes read */
  read?(offset: number, into: Uint8Array): number;
  /** pwrite. @returns the bytes written */
  write?(offset: number, from: Uint8Array): number;
  /** What `sizeBytes` at `offset` of the file are in physical memory. */
  mmap?(offset: number, sizeBytes: number): DeviceMemory;
  /** Its last descriptor is closed. */
  release(): void;
}
