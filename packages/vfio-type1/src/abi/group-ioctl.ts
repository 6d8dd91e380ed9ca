// SPDX-License-Identifier: Apache-2.0
// The ioctls of /dev/vfio/<id>. Source: linux/vfio.h; the behaviour of Linux 6.1 vfio_group_fops_unl_ioctl.

import { LinuxError } from '@irqkit/core';
import { VfioContainer } from '../container/vfio-container.js';
import type { VfioGroup } from '../group/vfio-group.js';
import type { IoctlArg } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import { checkArgsz, userStruct } from './fields.js';
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
} from './requests.js';
import { CONTAINER_FD, GROUP_FLAGS, GROUP_STATUS } from './structs.js';

/** @throws LinuxError ENOTTY for another request, EFAULT; what the group throws */
export function groupIoctl(group: VfioGroup, request: number, arg: IoctlArg, caller: Process): number {
  switch (request) {
    case VFIO_GROUP_GET_STATUS:
      return getStatus(group, arg);
    case VFIO_GROUP_SET_CONTAINER:
      group.setContainer(containerOf(group, CONTAINER_FD.fd(userStruct(arg, CONTAINER_FD.bytes)), caller));
      return 0;
    case VFIO_GROUP_UNSET_CONTAINER:
      group.unsetContainer();
      return 0;
    case VFIO_GROUP_GET_DEVICE_FD:
      return group.getDeviceFd(userString(arg), caller);
    default:
      throw new LinuxError('ENOTTY', `${group.path}: request 0x${request.toString(16)}`);
  }
}

function getStatus(group: VfioGroup, arg: IoctlArg): number {
  const view = userStruct(arg, GROUP_STATUS.bytes);
  checkArgsz(GROUP_STATUS.argsz(view), GROUP_STATUS.bytes);
  const { viable, containerSet } = group.status;
  GROUP_STATUS.flags.put(view, (viable ? GROUP_FLAGS.VIABLE : 0) | (containerSet ? GROUP_FLAGS.CONTAINER_SET : 0));
  return 0;
}

/** A group that has a container does not look at the other. */
function containerOf(group: VfioGroup, fd: number, caller: Process): VfioContainer {
  const file = caller.file(fd);
  if (file instanceof VfioContainer) return file;
  const isLater = group.system.settings.kernel === '6.12' && !group.container;
  throw new LinuxError(isLater ? 'EBADFD' : 'EINVAL', `${group.path}: fd ${fd}, ${file.path}, is no container`);
}

/** @throws LinuxError EINVAL for a string that does not end @linux strndup_user */
function userString(arg: IoctlArg): string {
  const { buffer } = userStruct(arg, 1);
  const bytes = new Uint8Array(buffer);
  const end = bytes.indexOf(0);
  if (end < 0) throw new LinuxError('EFAULT', 'ioctl: a string without an end');
  return String.fromCharCode(...bytes.subarray(0, end));
}
