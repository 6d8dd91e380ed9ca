// SPDX-License-Identifier: Apache-2.0
// What isolates, and which group a function must join. Expectations: Linux 6.1's pci_device_group, worked out by hand.

import { isIsolated, pciDeviceGroup } from '@irqkit/pci';
import type { GroupedFunction } from '@irqkit/pci';
import type { IommuGroup } from '@irqkit/core';

// linux/pci_regs.h PCI_EXP_TYPE_*
const TYPE = { ENDPOINT: 0, ROOT: 4, UPSTREAM: 5, DOWNSTREAM: 6, TO_PCI: 7, TO_PCIE: 8, RC_END: 9, RC_EC: 10 };
// Source Validation, P2P Request and Completion Redirect, Upstream Forwarding.
const REQUIRED = 0x1d;

interface Facts extends Partial<Omit<GroupedFunction, 'bridgesAbove'>> {
  readonly above?: GroupedFunction;
}

const fn = ({ above, ...facts }: Facts): GroupedFunction & { iommuGroup: IommuGroup | undefined } => ({
  portType: TYPE.ENDPOINT,
  isMultiFunction: false,
  acs: undefined,
  iommuGroup: undefined,
  bridgesAbove: above ? [above, ...above.bridgesAbove] : [],
  slot: [],
  ...facts,
});
const acs = (control: number, capable = 0x5f) => ({ capable, control });
const group = (id: number): IommuGroup => ({ id, devices: [] });

describe('isolation', () => {
  it.each([
    ['a conventional function', { portType: undefined, acs: acs(0x5f) }, false],
    ['a PCIe-to-PCI bridge', { portType: TYPE.TO_PCI, acs: acs(0x5f) }, false],
    ['a PCI-to-PCIe bridge', { portType: TYPE.TO_PCIE, acs: acs(0x5f) }, false],
    ['an event collector', { portType: TYPE.RC_EC, acs: acs(0x5f) }, false],
    ['a root port without ACS', { portType: TYPE.ROOT }, false],
    ['a root port with ACS off', { portType: TYPE.ROOT, acs: acs(0) }, false],
    ['a root port with what is required', { portType: TYPE.ROOT, acs: acs(REQUIRED) }, true],
    ['a root port with one service missing', { portType: TYPE.ROOT, acs: acs(REQUIRED & ~0x10) }, false],
    [
      'a downstream port whose missing services are hard-wired',
      { portType: TYPE.DOWNSTREAM, acs: acs(0x05, 0x45) },
      true,
    ],
    ['a single function', { portType: TYPE.ENDPOINT }, true],
    ['a single function of the root complex', { portType: TYPE.RC_END }, true],
    ['an upstream port alone in its slot', { portType: TYPE.UPSTREAM }, true],
    ['one of several functions without ACS', { isMultiFunction: true }, false],
    ['one of several functions with ACS off', { isMultiFunction: true, acs: acs(0) }, false],
    ['one of several functions with ACS on', { isMultiFunction: true, acs: acs(REQUIRED) }, true],
    ['one of several functions, nothing to control', { isMultiFunction: true, acs: acs(0, 0) }, true],
  ])('%s: %o is %s', (_what, facts, isolated) => {
    expect(isIsolated(fn(facts))).toBe(isolated);
  });
});

describe('the group to join', () => {
  it('is none on a root bus', () => {
    expect(pciDeviceGroup(fn({}))).toBeUndefined();
  });

  it('is that of a port which does not isolate, however far up', () => {
    const root = fn({ portType: TYPE.ROOT, acs: acs(0), iommuGroup: group(1) });
    const upstream = fn({ portType: TYPE.UPSTREAM, above: root });
    const downstream = fn({ portType: TYPE.DOWNSTREAM, acs: acs(REQUIRED), above: upstream });
    expect(pciDeviceGroup(fn({ above: downstream }))).toBe(root.iommuGroup);
    downstream.iommuGroup = group(2);
    expect(pciDeviceGroup(fn({ above: downstream }))).toBe(downstream.iommuGroup);
  });

  it('is none where every port on the way isolates', () => {
    const root = fn({ portType: TYPE.ROOT, acs: acs(REQUIRED), iommuGroup: group(1) });
    const upstream = fn({ portType: TYPE.UPSTREAM, above: root, iommuGroup: group(2) });
    const downstream = fn({ portType: TYPE.DOWNSTREAM, acs: acs(REQUIRED), above: upstream, iommuGroup: group(3) });
    expect(pciDeviceGroup(fn({ above: downstream }))).toBeUndefined();
  });

  it("stops below an isolated port: what is beyond a switch that does not isolate is the switch's", () => {
    const root = fn({ portType: TYPE.ROOT, acs: acs(REQUIRED), iommuGroup: group(1) });
    const upstream = fn({ portType: TYPE.UPSTREAM, above: root, iommuGroup: group(2) });
    const downstream = fn({ portType: TYPE.DOWNSTREAM, acs: acs(0), above: upstream });
    expect(pciDeviceGroup(fn({ above: downstream }))).toBeUndefined();
    downstream.iommuGroup = group(3);
    expect(pciDeviceGroup(fn({ above: downstream }))).toBe(downstream.iommuGroup);
  });

  it('is that of a bridge which aliases, also below an isolated port', () => {
    const root = fn({ portType: TYPE.ROOT, acs: acs(REQUIRED), iommuGroup: group(1) });
    const toPci = fn({ portType: TYPE.TO_PCI, above: root, iommuGroup: group(2) });
    const conventional = fn({ portType: undefined, above: toPci });
    expect(pciDeviceGroup(fn({ portType: undefined, above: conventional }))).toBe(toPci.iommuGroup);
    conventional.iommuGroup = group(3);
    expect(pciDeviceGroup(fn({ portType: undefined, above: conventional }))).toBe(conventional.iommuGroup);
  });

  it('goes on upwards from a bridge which aliases', () => {
    const root = fn({ portType: TYPE.ROOT, iommuGroup: group(1) });
    const toPci = fn({ portType: TYPE.TO_PCI, above: root });
    expect(pciDeviceGroup(fn({ portType: undefined, above: toPci }))).toBe(root.iommuGroup);
  });

  const slot = (facts: readonly Facts[]) => {
    const functions: GroupedFunction[] = [];
    for (const one of facts)
      functions.push(fn({ isMultiFunction: true, portType: TYPE.RC_END, slot: functions, ...one }));
    return functions;
  };

  it('is that of another function in the slot, where neither isolates', () => {
    const functions = slot([{}, {}, { iommuGroup: group(7) }]);
    expect(pciDeviceGroup(functions[0])?.id).toBe(7);
    expect(pciDeviceGroup(functions[1])?.id).toBe(7);
  });

  it('is none beside functions that isolate, or for one that does', () => {
    const isolated = { acs: acs(REQUIRED) };
    const beside = slot([{}, { ...isolated, iommuGroup: group(7) }]);
    expect(pciDeviceGroup(beside[0])).toBeUndefined();
    const itself = slot([isolated, { iommuGroup: group(7) }]);
    expect(pciDeviceGroup(itself[0])).toBeUndefined();
    const alone = slot([{ isMultiFunction: false }, { iommuGroup: group(7) }]);
    expect(pciDeviceGroup(alone[0])).toBeUndefined();
  });

  it('is that of a function beside the port where the way up ends', () => {
    const [port] = slot([
      { portType: TYPE.ROOT, acs: acs(0) },
      { portType: TYPE.ROOT, iommuGroup: group(7) },
    ]);
    expect(pciDeviceGroup(fn({ above: port }))?.id).toBe(7);
  });
});
