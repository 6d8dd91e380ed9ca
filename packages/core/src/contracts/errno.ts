// SPDX-License-Identifier: Apache-2.0
// Linux's error codes by name. Numbers: linux/asm-generic/errno-base.h and errno.h; EPROBE_DEFER: include/linux/errno.h.

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  ERANGE: 34,
  ENOSYS: 38,
  EBADFD: 77,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  EPROBE_DEFER: 517,
} as const;

export type Errno = keyof typeof ERRNO;

const brand = Symbol.for('@irqkit/core/LinuxError');

/**
 * What drivers and frameworks throw. The message begins with the place (a node's path, a device's name) and ends with the
 * code: `/its@8080000: no room for DeviceID 0x100 (ENOSPC)`.
 */
export class LinuxError extends Error {
  readonly code: Errno;

  constructor(code: Errno, message: string, options?: { cause?: unknown }) {
    super(`${message} (${code})`, options);
    this.name = 'LinuxError';
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The positive errno number. */
  get errno(): number {
    return ERRNO[this.code];
  }

  /** True for a LinuxError of any installed copy of this package, with that code where one is given. */
  static is(error: unknown, code?: Errno): error is LinuxError {
    return error instanceof Error && brand in error && (code === undefined || ('code' in error && error.code === code));
  }
}
