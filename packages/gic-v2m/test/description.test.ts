// SPDX-License-Identifier: Apache-2.0
// What a frame's node says without a machine.
import { IOMMU_PROT } from '@irqkit/core';
import type { Silicon } from '@irqkit/core';
import type { DevicetreeNode } from '@irqkit/conformance';
import { GRAVITON_COMPATIBLE, gicV2mDescription } from '@irqkit/gic-v2m';
import { frameNodes, frameTree, spis } from './frames.js';

const PROT = IOMMU_PROT.WRITE | IOMMU_PROT.MMIO | IOMMU_PROT.NOEXEC;
const nodeOf = (properties: DevicetreeNode) => frameNodes(frameTree([properties]))[0];
const describeMsi = (properties: DevicetreeNode, silicon: Silicon = {}) =>
  gicV2mDescription.msi?.(nodeOf(properties), silicon);

it('R5: names MSI_SETSPI_NS as a doorbell without remapping, and why it isolates nobody', () => {
  const said = describeMsi({});
  expect(said?.doorbells).toEqual([{ globalDoorbell: 0x802_0040, sizeBytes: 4, prot: PROT, irqRemapping: false }]);
  expect(said?.isolation).toEqual({ isolated: false, reason: expect.stringMatching(/any device/) as string });
});

it('says how many vectors by the overrides, else by MSI_TYPER, else that it is unknown', () => {
  const count = (properties: DevicetreeNode, silicon?: Silicon) => {
    const said = describeMsi(properties, silicon);
    return [said?.nrVectors, said?.parentVectors];
  };
  expect(count(spis(160, 32), { MSI_TYPER: 0x0050_0040 })).toEqual([32, { first: 160, count: 32 }]);
  expect(count({}, { MSI_TYPER: 0x0050_0040 })).toEqual([64, { first: 80, count: 64 }]);
  expect(count({})).toEqual([undefined, { first: undefined, count: undefined }]);
});

it('gives the span of addresses of an address-only frame, or all of it where its SPIs are unknown', () => {
  const frame = { compatible: GRAVITON_COMPATIBLE, reg: [0x802_0000, 0x2000] };
  const known = { globalDoorbell: 0x802_0100, sizeBytes: 15 * 8 + 4, prot: PROT, irqRemapping: false };
  expect(describeMsi({ ...frame, ...spis(64, 16) })?.doorbells).toEqual([known]);
  expect(describeMsi(frame)?.doorbells).toEqual([{ ...known, globalDoorbell: 0x802_0000, sizeBytes: 0x2000 }]);
});

it('finds half an override, impossible SPIs and a missing msi-controller', () => {
  const rules = (properties: DevicetreeNode) => gicV2mDescription.check?.(nodeOf(properties)).map(({ rule }) => rule);
  expect(rules({})).toEqual([]);
  expect(rules({ 'arm,msi-base-spi': 64 })).toEqual(['gic-v2m-override']);
  expect(rules(spis(16, 4))).toEqual(['gic-v2m-spis']);
  expect(rules({ 'msi-controller': {} })).toEqual(['gic-v2m-msi-controller']);
});
