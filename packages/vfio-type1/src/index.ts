// SPDX-License-Identifier: Apache-2.0
// VFIO type1 of a host: containers, groups, devices, and the processes that use them.

export { VFIO_EXTENSION, VfioContainer } from './container/vfio-container.js';
export type { Type1 } from './container/type1.js';
export type {
  DirtyBitmap,
  DirtyRange,
  MapDma,
  MappedRange,
  Type1Info,
  Type1Model,
  UnmapDma,
} from './container/type1-requests.js';
export type { WindowPolicy } from './container/window-policy.js';
export type { VfioDeviceDriver, VfioDeviceFd } from './device-driver.js';
export { VfioPciDevice } from './device/vfio-pci-device.js';
export type { VfioPciHost } from './device/vfio-pci-device.js';
export { VfioPciDriver } from './device/vfio-pci-driver.js';
export type { EventFds } from './device/interrupts/event-fds.js';
export { DriverBindings } from './group/driver-bindings.js';
export type { DriverBinding } from './group/driver-bindings.js';
export { VfioGroup } from './group/vfio-group.js';
export type { GroupStatus } from './group/vfio-group.js';
export * from './abi/requests.js';
export { AddressSpace } from './process/address-space.js';
export type { Mmap, PinnedRun, Protection } from './process/address-space.js';
export type { PhysicalMemory } from './process/physical-memory.js';
export { EventFd } from './process/event-fd.js';
export type { DeviceMemory, IoctlArg, OpenFile } from './process/open-file.js';
export { Process } from './process/process.js';
export type { ProcessOptions, SyscallResult } from './process/process.js';
export { VfioSystem } from './vfio-system.js';
export type { VfioSystemOptions } from './vfio-system.js';
export { DEFAULT_SETTINGS } from './vfio-settings.js';
export type { LinuxVersion, VfioSettings } from './vfio-settings.js';
