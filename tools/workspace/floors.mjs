// SPDX-License-Identifier: Apache-2.0
// The house, floor by floor: a package imports only from below its own.
const floors = [
  ['bits'],
  ['core'],
  ['acpi', 'fdt', 'pci', 'pgtable'],
  ['board'],
  ['conformance'],
  ['gic-v2', 'gic-v2m', 'gic-v3', 'gic-v3-its', 'smmu-v2', 'smmu-v3', 'vfio-type1'],
  ['kvm', 'planner', 'qemu', 'replay'],
  ['cli'],
];
const pluginFloor = 5;

/** -1 for a name that has no floor yet. */
export const floorOf = (name) => floors.findIndex((floor) => floor.includes(name));
export const isPlugin = (name) => floorOf(name) === pluginFloor;
/** The lower floors also run in a browser. */
export const runsInBrowser = (name) => floorOf(name) <= pluginFloor;
