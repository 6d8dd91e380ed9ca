// SPDX-License-Identifier: Apache-2.0
// Fields of the uapi's structures: little-endian, at the offsets that the C compiler gives them on arm64.

import { LinuxError } from '@irqkit/core';
import type { IoctlArg } from '../process/open-file.js';

/** Reads a field; `put` writes it. */
export interface StructField<T> {
  (view: DataView): T;
  put(view: DataView, value: T): void;
}

export function u16(offset: number): StructField<number> {
  return field(
    (view) => view.getUint16(offset, true),
    (view, value) => view.setUint16(offset, value, true),
  );
}

export function u32(offset: number): StructField<number> {
  return field(
    (view) => view.getUint32(offset, true),
    (view, value) => view.setUint32(offset, value, true),
  );
}

export function s32(offset: number): StructField<number> {
  return field(
    (view) => view.getInt32(offset, true),
    (view, value) => view.setInt32(offset, value, true),
  );
}

/** All 64 bits, for the checks that need them. */
export function u64(offset: number): StructField<bigint> {
  return field(
    (view) => view.getBigUint64(offset, true),
    (view, value) => view.setBigUint64(offset, value, true),
  );
}

/**
 * The structure that an ioctl's argument points at, of at least `sizeBytes`.
 * @throws LinuxError EFAULT for an argument that points at less, or at nothing @linux copy_from_user
 */
export function userStruct(arg: IoctlArg, sizeBytes: number): DataView {
  if (typeof arg === 'number') throw new LinuxError('EFAULT', `ioctl: argument ${arg} is no buffer`);
  if (arg.byteLength < sizeBytes)
    throw new LinuxError('EFAULT', `ioctl: a structure of ${sizeBytes} bytes in ${arg.byteLength}`);
  return new DataView(arg);
}

/** @throws LinuxError EINVAL where the caller's structure is smaller than the call needs */
export function checkArgsz(argsz: number, minsz: number): void {
  if (argsz < minsz) throw new LinuxError('EINVAL', `ioctl: argsz ${argsz} is below ${minsz}`);
}

function field<T>(read: (view: DataView) => T, put: (view: DataView, value: T) => void): StructField<T> {
  return Object.assign((view: DataView) => read(view), { put });
}
