// SPDX-License-Identifier: Apache-2.0
// Whose devices user space may have: R18, and groups in the hands of the host's drivers.

import { VFIO_EXTENSION, VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU } from '@irqkit/vfio-type1';
import { FakeIommu } from '../support/fake-iommu.js';
import { ITS_DOORBELL, Rig, V2M_DOORBELL, groupOf } from '../support/rig.js';
import type { DeviceFacts } from '../support/rig.js';
import { errnoOf, errorOf, openedContainer, words } from '../support/session.js';

const { TYPE1v2_IOMMU, TYPE1_NESTING_IOMMU } = VFIO_EXTENSION;

function withGroupSet(rig: Rig, facts: DeviceFacts = {}) {
  const device = rig.bound('dev', facts);
  const process = rig.process();
  const container = rig.system.openContainer(process);
  const group = rig.system.openGroup(process, groupOf(device).id);
  group.setContainer(container);
  return { device, process, container, group };
}

describe('isolation', () => {
  test('R18: a device on a GICv2m is an EPERM that names the doorbell, with nothing attached', () => {
    const rig = new Rig({ doorbells: [ITS_DOORBELL, V2M_DOORBELL] });
    const { container, process, device } = withGroupSet(rig, { doorbell: V2M_DOORBELL });
    const before = rig.state;
    const message = errorOf(() => container.setIommu(TYPE1v2_IOMMU));
    expect(message).toMatch(/dev: the doorbell at 0x8020040 .*\(EPERM\)/);
    expect(process.ioctl(container.fd, VFIO_SET_IOMMU, TYPE1v2_IOMMU)).toEqual({ ret: -1, errno: 1 });
    expect(rig.state).toEqual(before);
    expect(rig.iommu.domainOf(device).type).toBe('blocked');
  });

  test('R18: allowUnsafeInterrupts lets it through', () => {
    const rig = new Rig({ doorbells: [V2M_DOORBELL], settings: { allowUnsafeInterrupts: true } });
    const { container, device } = withGroupSet(rig, { doorbell: V2M_DOORBELL });
    container.setIommu(TYPE1v2_IOMMU);
    expect(rig.iommu.domainOf(device).type).toBe('unmanaged');
  });

  test('R18: a device on the ITS is not condemned for a GICv2m beside it, but by the machine’s answer it is', () => {
    const perDevice = withGroupSet(new Rig({ doorbells: [ITS_DOORBELL, V2M_DOORBELL] }));
    perDevice.container.setIommu(TYPE1v2_IOMMU);
    expect(perDevice.container.hasIommu).toBe(true);
    const settings = { msiIsolation: 'machine' } as const;
    const global = withGroupSet(new Rig({ doorbells: [ITS_DOORBELL, V2M_DOORBELL], settings }));
    expect(errorOf(() => global.container.setIommu(TYPE1v2_IOMMU))).toMatch(/group 0: .*0x8020040 .*\(EPERM\)/);
    const safe = withGroupSet(new Rig({ settings }));
    safe.container.setIommu(TYPE1v2_IOMMU);
    expect(safe.container.hasIommu).toBe(true);
  });

  test('R18: a device without an MSI domain is not isolated', () => {
    const { container } = withGroupSet(new Rig(), { doorbell: 'none' });
    expect(errorOf(() => container.setIommu(TYPE1v2_IOMMU))).toMatch(/dev: it has no MSI domain \(EPERM\)/);
  });

  test('R18: an IOMMU that isolates MSIs itself makes up for the irqchip', () => {
    const { container } = withGroupSet(new Rig({ iommus: [new FakeIommu({ isolatesMsi: true })] }), {
      doorbell: V2M_DOORBELL,
    });
    container.setIommu(TYPE1v2_IOMMU);
    expect(container.hasIommu).toBe(true);
  });

  test('R18: one exposed device condemns its group', () => {
    const rig = new Rig();
    rig.device('bridge', { groupKey: 'a', doorbell: V2M_DOORBELL });
    const { container } = withGroupSet(rig, { groupKey: 'a' });
    expect(errorOf(() => container.setIommu(TYPE1v2_IOMMU))).toMatch(/bridge: the doorbell at 0x8020040/);
  });

  test('R18: a group that joins later is asked as well, and stays out', () => {
    const rig = new Rig();
    const exposed = rig.bound('exposed', { doorbell: V2M_DOORBELL });
    const { container, process } = openedContainer(rig);
    const group = rig.system.openGroup(process, groupOf(exposed).id);
    const before = rig.state;
    expect(errnoOf(() => group.setContainer(container))).toBe('EPERM');
    expect(group.status).toEqual({ viable: true, containerSet: false });
    expect(rig.state).toEqual(before);
  });
});

describe('groups', () => {
  test('R18: while a host driver has a device of it, a group is not viable', () => {
    const rig = new Rig();
    const other = rig.device('other', { groupKey: 'a' });
    const device = rig.bound('dev', { groupKey: 'a' });
    rig.system.bindings.bind(other, { name: 'nvme', managedDma: false });
    const process = rig.process();
    const group = rig.system.openGroup(process, groupOf(device).id);
    const container = rig.system.openContainer(process);
    expect(group.status.viable).toBe(false);
    expect(errorOf(() => group.setContainer(container))).toMatch(/other is bound to nvme \(EPERM\)/);
    rig.system.bindings.unbind(other);
    rig.system.bindings.bind(other, { name: 'pcieport', managedDma: true });
    expect(group.status.viable).toBe(true);
    group.setContainer(container);
    rig.system.bindings.unbind(other);
    expect(errnoOf(() => rig.system.bindings.bind(other, { name: 'nvme', managedDma: false }))).toBe('EBUSY');
  });

  test('R22: from SET_CONTAINER to UNSET_CONTAINER its devices reach nothing of the host', () => {
    const rig = new Rig();
    const { device, group, container } = withGroupSet(rig);
    const typeNow = () => rig.iommu.domainOf(device).type;
    expect(typeNow()).toBe('blocked');
    container.setIommu(TYPE1v2_IOMMU);
    expect(typeNow()).toBe('unmanaged');
    group.unsetContainer();
    expect(typeNow()).toBe('dma');
  });

  test('a device that is open keeps the group, and VFIO as its driver', () => {
    const rig = new Rig();
    const { groups, process, deviceFds } = openedContainer(rig);
    const { device } = rig.opened[0];
    expect(errnoOf(() => groups[0].unsetContainer())).toBe('EBUSY');
    expect(errnoOf(() => rig.system.unbindDevice(device))).toBe('EBUSY');
    const second = groups[0].getDeviceFd('dev', process);
    process.close(deviceFds[0]);
    expect(errnoOf(() => groups[0].unsetContainer())).toBe('EBUSY');
    process.close(second);
    groups[0].unsetContainer();
    rig.system.unbindDevice(device);
    expect(rig.system.groupIds).toEqual([]);
    expect(rig.opened).toHaveLength(1);
  });

  test('files that are not there, that are open, and numbers that are none', () => {
    const rig = new Rig();
    const { process, groups } = openedContainer(rig);
    expect(errnoOf(() => rig.system.open(process, '/dev/vfio/9'))).toBe('ENOENT');
    expect(errnoOf(() => rig.system.open(process, '/dev/null'))).toBe('ENOENT');
    expect(errnoOf(() => rig.system.openGroup(process, groups[0].iommuGroup.id))).toBe('EBUSY');
    expect(errnoOf(() => rig.system.bindDevice(rig.opened[0].device))).toBe('EBUSY');
    expect(errnoOf(() => rig.system.unbindDevice(rig.device('free')))).toBe('ENODEV');
    expect(errnoOf(() => rig.system.bindings.unbind(rig.device('alone')))).toBe('ENODEV');
  });

  test('what differs in Linux 6.12: nesting is an EPERM, a descriptor that is no container an EBADFD', () => {
    const [older, newer] = (['6.1', '6.12'] as const).map((kernel) => {
      const rig = new Rig({ settings: { kernel } });
      const device = rig.bound('dev');
      const process = rig.process();
      const container = rig.system.openContainer(process);
      const group = rig.system.openGroup(process, groupOf(device).id);
      const noContainer = process.install({ path: '/dev/null', release: () => undefined });
      const { errno } = process.ioctl(group.fd, VFIO_GROUP_SET_CONTAINER, words([noContainer]));
      group.setContainer(container);
      return [errno, errnoOf(() => container.setIommu(TYPE1_NESTING_IOMMU))];
    });
    expect(older).toEqual([22, undefined]);
    expect(newer).toEqual([77, 'EPERM']);
  });
});
