// SPDX-License-Identifier: Apache-2.0

import { physAddr } from '@irqkit/core';
import type { FirmwareNode } from '@irqkit/core';
import { VIRT_SILICON, VIRT_STAGE2_SILICON, smmuV3, smmuV3Description } from '@irqkit/smmu-v3';

interface Facts {
  readonly cells?: Readonly<Record<string, readonly number[]>>;
  readonly names?: readonly string[];
  readonly sizeBytes?: number;
}

// As QEMU's `virt` has it.
const NAMES = ['eventq', 'priq', 'cmdq-sync', 'gerror'];

function node({ cells = { '#iommu-cells': [1] }, names = NAMES, sizeBytes = 0x2_0000 }: Facts = {}): FirmwareNode {
  const regs = sizeBytes === 0 ? [] : [{ base: physAddr(0x905_0000), sizeBytes }];
  return {
    path: '/smmuv3@9050000',
    regs,
    has: (property: string) => property in cells,
    u32: (property: string) => cells[property]?.[0],
    strings: (property: string) => (property === 'interrupt-names' ? names : undefined),
  } as unknown as FirmwareNode;
}

describe('the description of an SMMUv3', () => {
  const { iommu, check } = smmuV3Description;

  test('it translates MSIs; the rest is unknown without silicon', () => {
    expect(iommu?.(node(), {})).toEqual({
      translatesMsi: true,
      idBits: undefined,
      stages: undefined,
      pageSizes: undefined,
    });
  });

  test('what the ID registers of QEMU 7.2 and 10 say', () => {
    expect(iommu?.(node(), VIRT_SILICON)).toEqual({
      translatesMsi: true,
      idBits: 16,
      stages: [1],
      pageSizes: [0x1000, 0x4000, 0x1_0000, 0x20_0000, 0x200_0000, 0x2000_0000, 0x4000_0000],
    });
    expect(iommu?.(node(), VIRT_STAGE2_SILICON).stages).toEqual([2]);
    expect(iommu?.(node(), { IDR0: 0b11, IDR5: 0x40 })).toMatchObject({
      stages: [1, 2],
      pageSizes: [0x1_0000, 0x2000_0000],
    });
  });

  test('a node as it should be has no findings', () => {
    expect(check?.(node())).toEqual([]);
    expect(check?.(node({ names: ['combined'] }))).toEqual([]);
    expect(check?.(node({ names: [], cells: { '#iommu-cells': [1], 'msi-parent': [1] } }))).toEqual([]);
  });

  test.each<[string, Facts, readonly string[]]>([
    ['no #iommu-cells', { cells: {} }, ['smmu-v3-iommu-cells error']],
    ['two #iommu-cells', { cells: { '#iommu-cells': [2] } }, ['smmu-v3-iommu-cells error']],
    ['no registers', { sizeBytes: 0 }, ['smmu-v3-frame error']],
    ['page 0 only', { sizeBytes: 0x1_0000 }, ['smmu-v3-frame error']],
    ['no gerror', { names: ['eventq'] }, ['smmu-v3-no-interrupt warning']],
    ['no interrupts', { names: [] }, ['smmu-v3-no-interrupt warning', 'smmu-v3-no-interrupt warning']],
    ['a name nobody knows', { names: [...NAMES, 'evtq'] }, ['smmu-v3-interrupt-names warning']],
  ])('findings: %s', (_title, facts, expected) => {
    const findings = check?.(node(facts)) ?? [];
    expect(findings.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual(expected);
    expect(findings.every(({ path }) => path === '/smmuv3@9050000')).toBe(true);
  });

  test('one page is enough where page 1 is in it', () => {
    const cells = { '#iommu-cells': [1], 'cavium,cn9900-broken-page1-regspace': [] };
    expect(check?.(node({ cells, sizeBytes: 0x1_0000 }))).toEqual([]);
  });
});

describe('the plugin', () => {
  test('drives, models and describes arm,smmu-v3', () => {
    expect(smmuV3.name).toBe('@irqkit/smmu-v3');
    for (const entries of [smmuV3.iommus, smmuV3.models, smmuV3.descriptions])
      expect(entries).toMatchObject([{ compatible: ['arm,smmu-v3'] }]);
  });
});
