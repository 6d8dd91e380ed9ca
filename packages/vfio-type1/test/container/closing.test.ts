// SPDX-License-Identifier: Apache-2.0
// R22: every order of closing, with MSIs enabled and memory mapped.

import { Rig } from '../support/rig.js';
import { errnoOf, openedContainer } from '../support/session.js';
import type { WindowPolicy } from '@irqkit/vfio-type1';

const NAMES = ['a', 'b'];
const FILES = ['device a', 'device b', 'group a', 'group b', 'container'] as const;
type File = (typeof FILES)[number];

/** Two groups in one container, interrupts live, memory mapped. */
function running(policy: WindowPolicy) {
  const rig = new Rig();
  for (const name of NAMES) rig.bound(name);
  const before = rig.state;
  const session = openedContainer(rig, { policy, devices: NAMES });
  const { container, groups, deviceFds, iommu, map } = session;
  map(0x1000_0000, 0x4000);
  map(0x2000_0000, 0x1_0000);
  if (policy === 'user') iommu.provideMsiWindow({ iova: 0x7000_0000, sizeBytes: 0x1000 });
  for (const opened of rig.opened) opened.enableMsi();
  const fdOf: Record<File, number> = {
    'device a': deviceFds[0],
    'device b': deviceFds[1],
    'group a': groups[0].fd,
    'group b': groups[1].fd,
    container: container.fd,
  };
  return { ...session, rig, before, fdOf };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first) =>
    permutations(items.filter((item) => item !== first)).map((others) => [first, ...others]),
  );
}

describe.each(['sw-msi', 'user'] as const)('closing, %s window', (policy) => {
  test('R22: in every order of device, group and container, board and host are as before', () => {
    for (const order of permutations(FILES)) {
      const { rig, before, fdOf, process } = running(policy);
      const open = new Set<File>(FILES);
      for (const file of order) {
        process.close(fdOf[file]);
        open.delete(file);
        expect(rig.state.msis).toEqual(NAMES.filter((name) => open.has(`device ${name}` as File)));
        for (const { device } of rig.opened) {
          const inUse = open.has(`device ${device.name}` as File) || open.has(`group ${device.name}` as File);
          expect(rig.iommu.domainOf(device).type).toBe(inUse ? 'unmanaged' : 'dma');
        }
      }
      process.mm.exit();
      expect(rig.state).toEqual(before);
      expect(process.mm.lockedPages).toBe(0);
    }
  });

  test('R22: when the process dies, whatever it had closed before', () => {
    for (const order of permutations(FILES))
      for (let closed = 0; closed <= order.length; closed++) {
        const { rig, before, fdOf, process } = running(policy);
        for (const file of order.slice(0, closed)) process.close(fdOf[file]);
        process.exit();
        expect(rig.state).toEqual(before);
        process.exit();
      }
  });
});

describe('files that outlive others', () => {
  test('R22: memory of a dead process is the device’s until another closes the device', () => {
    const { rig, process, groups, before } = running('sw-msi');
    const heir = rig.process();
    const deviceFd = groups[0].getDeviceFd('a', heir);
    process.exit();
    const domain = rig.iommu.domainOf(rig.opened[0].device);
    expect(domain.lookUp(0x1000_0000)).toBeDefined();
    expect(rig.state.msis).toEqual(['a']);
    expect(rig.state.memoryBytes).toBe(0x1_4000);
    heir.close(deviceFd);
    expect(rig.state).toEqual(before);
  });

  test('R22: a group that is reopened starts without a container', () => {
    const { rig, process, groups, fdOf } = running('sw-msi');
    const [{ iommuGroup }] = groups;
    process.close(fdOf['group a']);
    expect(errnoOf(() => rig.system.openGroup(process, iommuGroup.id))).toBe('EBUSY');
    process.close(fdOf['device a']);
    const again = rig.system.openGroup(process, iommuGroup.id);
    expect(again.status).toEqual({ viable: true, containerSet: false });
  });

  test('R22: a container without groups takes new ones, and starts empty', () => {
    const { process, groups, container, deviceFds } = running('sw-msi');
    for (const fd of deviceFds) process.close(fd);
    for (const group of groups) group.unsetContainer();
    expect(container.hasIommu).toBe(false);
    expect(errnoOf(() => container.iommu)).toBe('EINVAL');
    groups[0].setContainer(container);
    container.setIommu(1);
    expect(container.iommu.nrMappings).toBe(0);
  });

  test('R22: a device that keeps its MSIs cannot leave: UNSET_CONTAINER changes nothing', () => {
    const { rig, groups, process, deviceFds } = running('sw-msi');
    const [opened] = rig.opened;
    opened.close = () => undefined;
    process.close(deviceFds[0]);
    const held = rig.state;
    expect(errnoOf(() => groups[0].unsetContainer())).toBe('EBUSY');
    expect(rig.state).toEqual(held);
    opened.disableMsi();
    groups[0].unsetContainer();
    expect(rig.iommu.domainOf(opened.device).type).toBe('dma');
  });
});
