// SPDX-License-Identifier: Apache-2.0
import { KVM_LAYOUT_SILICON, gicV3Its, gicV3ItsDescription, itsDoorbell } from '@irqkit/gic-v3-its';
import { DOORBELL_PROT, physAddr } from '@irqkit/core';
import type { FirmwareNode } from '@irqkit/core';

type Cells = Readonly<Record<string, readonly number[]>>;

function node(cells: Cells, sizeBytes = 0x2_0000): FirmwareNode {
  const regs = [{ base: physAddr(0x808_0000), sizeBytes }];
  return {
    path: '/intc@8000000/its@8080000',
    regs,
    reg: (index: number) => regs[index],
    has: (property: string) => property in cells,
    u32s: (property: string) => cells[property],
    u32: (property: string) => cells[property]?.[0],
  } as unknown as FirmwareNode;
}

const ITS: Cells = { 'msi-controller': [], '#msi-cells': [1] };
// As Texas Instruments' K3 boards have it: a window of 4 MiB, and 64 KiB of reg.
const PRE_ITS: Cells = { ...ITS, 'socionext,synquacer-pre-its': [0x100_0000, 0x40_0000] };

const { msi, check } = gicV3ItsDescription;

describe('the description of an ITS', () => {
  test('R5, R6: its doorbell is GITS_TRANSLATER, and remaps', () => {
    expect(msi?.(node(ITS), {})).toEqual({
      doorbells: [{ globalDoorbell: 0x809_0040, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true }],
      isolation: { isolated: true, reason: expect.stringContaining('DeviceID') as string },
      nrVectors: undefined,
      parentVectors: { first: 8192, count: undefined },
    });
    expect(itsDoorbell(node(ITS))).toMatchObject({ globalDoorbell: 0x809_0040 });
  });

  test('R5, R6: behind a pre-ITS its doorbell is the window, and does not remap', () => {
    expect(msi?.(node(PRE_ITS, 0x1_0000), {})).toMatchObject({
      doorbells: [{ globalDoorbell: 0x100_0000, sizeBytes: 0x40_0000, irqRemapping: false }],
      isolation: { isolated: false, reason: expect.stringContaining('address') as string },
    });
  });

  test('it can serve the events that GITS_TYPER and the window leave room for', () => {
    expect(msi?.(node(ITS), KVM_LAYOUT_SILICON).nrVectors).toBe(2 ** 32);
    expect(msi?.(node(PRE_ITS), { GITS_TYPER: 0x1_ef71 }).nrVectors).toBe(2 ** 32);
    const small = { ...PRE_ITS, 'socionext,synquacer-pre-its': [0x100_0000, 0x400] };
    expect(msi?.(node(small), { GITS_TYPER: 0x1_ef71 }).nrVectors).toBe(2 ** 24);
  });

  test('a node as it should be has no findings', () => {
    expect(check?.(node(ITS))).toEqual([]);
  });

  test.each([
    ['no msi-controller', { '#msi-cells': [1] }, 0x2_0000, ['gic-v3-its-msi-controller error']],
    ['no #msi-cells', { 'msi-controller': [] }, 0x2_0000, ['gic-v3-its-msi-cells error']],
    ['two #msi-cells', { ...ITS, '#msi-cells': [2] }, 0x2_0000, ['gic-v3-its-msi-cells error']],
    ['no translation frame', ITS, 0x1_0000, ['gic-v3-its-translation warning']],
    ['a pre-ITS', PRE_ITS, 0x1_0000, ['gic-v3-its-pre-its warning']],
    ['half a pre-ITS', { ...ITS, 'socionext,synquacer-pre-its': [1] }, 0x1_0000, ['gic-v3-its-pre-its-cells error']],
  ])('findings: %s', (_, cells: Cells, sizeBytes, expected) => {
    const findings = check?.(node(cells, sizeBytes)) ?? [];
    expect(findings.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual(expected);
    expect(findings.every(({ path }) => path === '/intc@8000000/its@8080000')).toBe(true);
  });
});

describe('the plugin', () => {
  test('offers model and description for arm,gic-v3-its', () => {
    expect(gicV3Its.name).toBe('@irqkit/gic-v3-its');
    expect(gicV3Its.models).toMatchObject([{ compatible: ['arm,gic-v3-its'], silicon: KVM_LAYOUT_SILICON }]);
    expect(gicV3Its.descriptions).toMatchObject([{ compatible: ['arm,gic-v3-its'] }]);
  });
});
