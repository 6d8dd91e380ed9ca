// SPDX-License-Identifier: Apache-2.0

import type { EventFd } from '../../process/event-fd.js';

/** Who finds eventfds by descriptor: a process. */
export interface EventFds {
  /** @throws LinuxError EBADF, EINVAL @linux eventfd_ctx_fdget */
  eventFd(fd: number): EventFd;
}
