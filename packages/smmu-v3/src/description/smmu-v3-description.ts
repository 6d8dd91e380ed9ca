// SPDX-License-Identifier: Apache-2.0
// What an SMMUv3's firmware node says by itself. Sources: devicetree binding arm,smmu-v3.yaml (Linux 6.1); IHI 0070, section
// 6.3 for what the ID registers add, where `silicon` knows them.

import type { Description, Finding, FirmwareNode, IommuDescription, Silicon } from '@irqkit/core';
import { IDR0, IDR1, IDR5, PAGE_1, SMMU_FRAME_BYTES } from '../regs.js';

export const smmuV3Description: Description = { iommu, check };

/** Beside the names that the binding has: no others mean anything. */
const INTERRUPT_NAMES = ['eventq', 'gerror', 'priq', 'cmdq-sync', 'combined'];

function iommu(_node: FirmwareNode, silicon: Silicon): IommuDescription {
  const { IDR0: idr0, IDR1: idr1, IDR5: idr5 }: Partial<Silicon> = silicon;
  return {
    translatesMsi: true,
    idBits: idr1 === undefined ? undefined : IDR1.SIDSIZE(idr1),
    stages: idr0 === undefined ? undefined : stagesOf(idr0),
    pageSizes: idr5 === undefined ? undefined : pageSizesOf(idr5),
  };
}

function stagesOf(idr0: number): readonly (1 | 2)[] {
  const stages: (1 | 2)[] = [];
  if (IDR0.S1P(idr0)) stages.push(1);
  if (IDR0.S2P(idr0)) stages.push(2);
  return stages;
}

/** Those of 52-bit tables are left out. */
function pageSizesOf(idr5: number): readonly number[] {
  const sizes = [
    ...(IDR5.GRAN4K(idr5) ? [2 ** 12, 2 ** 21, 2 ** 30] : []),
    ...(IDR5.GRAN16K(idr5) ? [2 ** 14, 2 ** 25] : []),
    ...(IDR5.GRAN64K(idr5) ? [2 ** 16, 2 ** 29] : []),
  ];
  return sizes.sort((a, b) => a - b);
}

function check(node: FirmwareNode): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, severity: Finding['severity'], property: string, message: string): void => {
    findings.push({ rule, severity, path: node.path, property, message });
  };
  const cells = node.u32('#iommu-cells');
  if (cells !== 1) add('smmu-v3-iommu-cells', 'error', '#iommu-cells', `is ${cells ?? 'missing'}, an SMMUv3 takes 1`);
  const wanted = node.has('cavium,cn9900-broken-page1-regspace') ? PAGE_1 : SMMU_FRAME_BYTES;
  if (node.regs.length === 0) add('smmu-v3-frame', 'error', 'reg', 'must name the register pages');
  else if (node.regs[0].sizeBytes < wanted)
    add('smmu-v3-frame', 'error', 'reg', `covers ${node.regs[0].sizeBytes} bytes of registers, ${wanted} are there`);
  checkInterrupts(node, add);
  return findings;
}

function checkInterrupts(
  node: FirmwareNode,
  add: (rule: string, severity: Finding['severity'], property: string, message: string) => void,
): void {
  const names = node.strings('interrupt-names') ?? [];
  for (const name of names)
    if (!INTERRUPT_NAMES.includes(name))
      add('smmu-v3-interrupt-names', 'warning', 'interrupt-names', `${name} means nothing to Linux`);
  if (names.includes('combined') || node.has('msi-parent')) return;
  for (const name of ['eventq', 'gerror'])
    if (!names.includes(name))
      add('smmu-v3-no-interrupt', 'warning', 'interrupt-names', `no ${name} and no msi-parent: nobody hears of it`);
}
