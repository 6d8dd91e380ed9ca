// SPDX-License-Identifier: Apache-2.0

import { physAddr } from '@irqkit/core';
import type { FirmwareNode } from '@irqkit/core';
import { CAVIUM_SILICON, MMU400_SILICON, MMU401_SILICON, MMU500_SILICON, smmuV2Description } from '@irqkit/smmu-v2';

interface Facts {
  readonly cells?: Readonly<Record<string, number>>;
  readonly properties?: readonly string[];
  readonly nrInterrupts?: number;
  readonly sizeBytes?: number;
}

const CELLS = { '#iommu-cells': 1, '#global-interrupts': 1 };

function node({ cells = CELLS, properties = [], nrInterrupts = 9, sizeBytes = 0x1_0000 }: Facts = {}): FirmwareNode {
  return {
    path: '/iommu@2b400000',
    regs: sizeBytes === 0 ? [] : [{ base: physAddr(0x2b40_0000), sizeBytes }],
    interrupts: Array<undefined>(nrInterrupts).fill(undefined),
    has: (property: string) => property in cells || properties.includes(property),
    u32: (property: string) => (cells as Readonly<Record<string, number | undefined>>)[property],
  } as unknown as FirmwareNode;
}

describe('the description of an SMMUv1 or SMMUv2', () => {
  const { iommu, check } = smmuV2Description;

  test('it translates MSIs; the rest is unknown without silicon', () => {
    expect(iommu?.(node(), {})).toEqual({
      translatesMsi: true,
      idBits: undefined,
      stages: undefined,
      pageSizes: undefined,
    });
  });

  test('what the ID registers of known ones say', () => {
    const FOUR_K = [0x1000, 0x20_0000, 0x4000_0000];
    expect(iommu?.(node(), MMU500_SILICON)).toEqual({
      translatesMsi: true,
      idBits: 15,
      stages: [1, 2],
      pageSizes: [0x1000, 0x1_0000, 0x20_0000, 0x2000_0000, 0x4000_0000],
    });
    expect(iommu?.(node(), MMU400_SILICON)).toMatchObject({ stages: [2], pageSizes: FOUR_K });
    expect(iommu?.(node(), MMU401_SILICON).pageSizes).toHaveLength(5);
    expect(iommu?.(node(), CAVIUM_SILICON)).toMatchObject({ idBits: 16, stages: [1, 2] });
    expect(iommu?.(node(), CAVIUM_SILICON).pageSizes).toContain(0x4000);
    // No AArch32, 64 KiB alone.
    expect(iommu?.(node(), { IDR0: 0x4200_0000, IDR2: 0x4000 })).toMatchObject({
      stages: [1],
      pageSizes: [0x1_0000, 0x2000_0000],
    });
  });

  test('a node of the binding has nothing to find', () => {
    expect(check?.(node())).toEqual([]);
    expect(check?.(node({ cells: { ...CELLS, '#iommu-cells': 2 } }))).toEqual([]);
  });

  const FOUND: Readonly<Record<string, readonly [facts: Facts, rule: string, message: string]>> = {
    'three cells': [{ cells: { ...CELLS, '#iommu-cells': 3 } }, 'smmu-v2-iommu-cells', 'is 3, an SMMUv2 takes 1 or 2'],
    'no cells': [{ cells: { '#global-interrupts': 1 } }, 'smmu-v2-iommu-cells', 'is missing, an SMMUv2 takes 1 or 2'],
    'a mask beside masks': [
      { cells: { ...CELLS, '#iommu-cells': 2, 'stream-match-mask': 0x7c00 } },
      'smmu-v2-stream-match-mask',
      'is not used where #iommu-cells is 2',
    ],
    'the legacy binding': [{ properties: ['mmu-masters'] }, 'smmu-v2-legacy', 'is of a binding that is not supported'],
    'no registers': [{ sizeBytes: 0 }, 'smmu-v2-frame', 'must name the register pages'],
    'too few registers': [{ sizeBytes: 0x1000 }, 'smmu-v2-frame', 'covers 4096 bytes of registers, 16384 at least'],
    'no #global-interrupts': [{ cells: { '#iommu-cells': 1 } }, 'smmu-v2-global-interrupts', 'is missing'],
    'no context interrupts': [{ nrInterrupts: 1 }, 'smmu-v2-context-interrupts', 'are 1, 2 wanted at least'],
    'no global interrupt': [
      { cells: { ...CELLS, '#global-interrupts': 0 } },
      'smmu-v2-no-interrupt',
      'is 0: nobody hears of streams that nothing matches',
    ],
  };

  test.each(Object.entries(FOUND))('%s', (_name, [facts, rule, message]) => {
    expect(check?.(node(facts))).toMatchObject([{ rule, path: '/iommu@2b400000', message }]);
  });
});
