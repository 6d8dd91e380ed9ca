// SPDX-License-Identifier: Apache-2.0
// R18 on boards: who may have a function whose MSIs are not isolated, and what a forged message does.

import { EventFd, Process, VFIO_DEVICE_SET_IRQS, VFIO_EXTENSION, VfioPciDriver, VfioSystem } from '@irqkit/vfio-type1';
import type { VfioSettings } from '@irqkit/vfio-type1';
import { PCIE } from './support/its-platform.js';
import { itsBehindSmmu, v2mPlatform } from './support/smmu-platform.js';
import { SmmuSystem } from './support/smmu-system.js';

const MSIX = 2;
/** VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER */
const EVENTFD_TRIGGER = 0x24;
/** The command register, in the region of configuration space. */
const COMMAND = 7 * 2 ** 40 + 4;
const MEMORY_AND_BUS_MASTER = new Uint8Array([6, 0]);
/** Where the SW_MSI policy maps the doorbell, with its offset in the page. */
const MESSAGE = 0x800_0040;

const WITH_V2M = () => new SmmuSystem({ firmware: v2mPlatform(0x802_0000), pcie: PCIE, vectors: [1, 1] });
const WITH_ITS = () => new SmmuSystem({ firmware: itsBehindSmmu(), pcie: PCIE, vectors: [1, 1] });

function vfioOf(system: SmmuSystem, settings: Partial<VfioSettings> = {}): VfioSystem {
  const driver = new VfioPciDriver({ ...system.host, bus: system.board.bus });
  const vfio = new VfioSystem({ host: system.host, driver, settings });
  for (const device of system.devices) vfio.bindDevice(device);
  return vfio;
}

/** A process that has one function, and its interrupt on an eventfd. */
function userOf(system: SmmuSystem, vfio: VfioSystem, which: number) {
  const device = system.devices[which];
  const process = new Process({ memory: system.board.bus.memory });
  const container = vfio.openContainer(process);
  const group = vfio.openGroup(process, device.iommuGroup!.id);
  group.setContainer(container);
  container.setIommu(VFIO_EXTENSION.TYPE1v2_IOMMU);
  const fd = group.getDeviceFd(device.name, process);
  process.write(fd, COMMAND, MEMORY_AND_BUS_MASTER);
  const eventFd = new EventFd();
  const irqSet = new Int32Array([24, EVENTFD_TRIGGER, MSIX, 0, 1, process.install(eventFd)]);
  expect(process.ioctl(fd, VFIO_DEVICE_SET_IRQS, irqSet.buffer)).toEqual({ ret: 0, errno: 0 });
  return { process, eventFd };
}

function close(system: SmmuSystem): void {
  system.host.teardown();
  expect(system.host.iommus.groups).toEqual([]);
  system.board.dispose();
}

test('R18: on a GICv2m, SET_IOMMU is an EPERM that names the doorbell', () => {
  const system = WITH_V2M();
  const vfio = vfioOf(system);
  expect(() => userOf(system, vfio, 0)).toThrow(/doorbell at 0x8020040 .*\(EPERM\)/);
  expect(system.devices[0].msiDescs).toEqual([]);
});

test('R18: on a GICv2m with unsafe interrupts allowed, a forged message reaches the other user', () => {
  const system = WITH_V2M();
  const vfio = vfioOf(system, { allowUnsafeInterrupts: true });
  const users = [0, 1].map((which) => userOf(system, vfio, which));
  const [[own], [others]] = [system.messages(0), system.messages(1)];
  expect([own[0], others[0]]).toEqual([MESSAGE, MESSAGE]);
  system.store(0, MESSAGE, others[1]);
  expect(users.map(({ eventFd }) => eventFd.count)).toEqual([0, 1]);
  for (const { process } of users) process.exit();
  close(system);
});

test('R18, R24: on an ITS, whatever a function writes there, the other user sees nothing', () => {
  const system = WITH_ITS();
  const vfio = vfioOf(system);
  const users = [0, 1].map((which) => userOf(system, vfio, which));
  for (let data = 0; data < 64; data++) system.store(0, MESSAGE, data);
  // EventID 0 is its own.
  expect(users.map(({ eventFd }) => eventFd.count)).toEqual([1, 0]);
  for (const { process } of users) process.exit();
  close(system);
});

test('R22: after the process is dead its function reaches neither memory nor doorbell', () => {
  const system = WITH_ITS();
  const vfio = vfioOf(system);
  const { process, eventFd } = userOf(system, vfio, 0);
  system.store(0, MESSAGE, 0);
  expect(eventFd.count).toBe(1);
  process.exit();
  system.store(0, MESSAGE, 0);
  expect(eventFd.count).toBe(1);
  expect([system.devices[0].msiDescs.length, system.programmed(0)]).toEqual([0, [0]]);
  close(system);
});
