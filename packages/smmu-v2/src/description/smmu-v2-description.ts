// SPDX-License-Identifier: Apache-2.0
// What the firmware node of an SMMUv1 or SMMUv2 says by itself. Sources: devicetree binding arm,smmu.yaml (Linux 6.1); IHI 0062
// for what the ID registers add, where `silicon` knows them.

import type { Description, Finding, FirmwareNode, IommuDescription, Silicon } from '@irqkit/core';
import { IDR0, IDR2, registerLayout } from '../regs.js';

export const smmuV2Description: Description = { iommu, check };

/** Of an extended StreamID. */
const EXTENDED_BITS = 16;
const SIZES_4K = [2 ** 12, 2 ** 21, 2 ** 30];
const SIZES_16K = [2 ** 14, 2 ** 25];
const SIZES_64K = [2 ** 16, 2 ** 29];

function iommu(_node: FirmwareNode, silicon: Silicon): IommuDescription {
  const { IDR0: idr0, IDR2: idr2 }: Partial<Silicon> = silicon;
  return {
    translatesMsi: true,
    idBits: idr0 === undefined ? undefined : IDR0.EXIDS(idr0) ? EXTENDED_BITS : IDR0.NUMSIDB(idr0),
    stages: idr0 === undefined ? undefined : stagesOf(idr0),
    pageSizes: idr0 === undefined || idr2 === undefined ? undefined : pageSizesOf(idr0, idr2),
  };
}

function stagesOf(idr0: number): readonly (1 | 2)[] {
  const stages: (1 | 2)[] = [];
  if (IDR0.S1TS(idr0)) stages.push(1);
  if (IDR0.S2TS(idr0)) stages.push(2);
  return stages;
}

/** Those of any of its formats but the AArch32 short one. */
function pageSizesOf(idr0: number, idr2: number): readonly number[] {
  const hasAarch32 = IDR0.PTFS(idr0) < 2;
  const sizes = [
    ...(hasAarch32 || IDR2.PTFSv8_4kB(idr2) ? SIZES_4K : []),
    ...(IDR2.PTFSv8_16kB(idr2) ? SIZES_16K : []),
    ...(IDR2.PTFSv8_64kB(idr2) ? SIZES_64K : []),
  ];
  return sizes.sort((a, b) => a - b);
}

function check(node: FirmwareNode): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, severity: Finding['severity'], property: string, message: string): void => {
    findings.push({ rule, severity, path: node.path, property, message });
  };
  if (node.has('mmu-masters')) add('smmu-v2-legacy', 'error', 'mmu-masters', 'is of a binding that is not supported');
  const cells = node.u32('#iommu-cells');
  if (cells !== 1 && cells !== 2)
    add('smmu-v2-iommu-cells', 'error', '#iommu-cells', `is ${cells ?? 'missing'}, an SMMUv2 takes 1 or 2`);
  if (cells === 2 && node.has('stream-match-mask'))
    add('smmu-v2-stream-match-mask', 'warning', 'stream-match-mask', 'is not used where #iommu-cells is 2');
  // The least that there is: two pages of 4 KiB for each half.
  const { sizeBytes } = registerLayout(0);
  if (node.regs.length === 0) add('smmu-v2-frame', 'error', 'reg', 'must name the register pages');
  else if (node.regs[0].sizeBytes < sizeBytes)
    add('smmu-v2-frame', 'error', 'reg', `covers ${node.regs[0].sizeBytes} bytes of registers, ${sizeBytes} at least`);
  checkInterrupts(node, add);
  return findings;
}

function checkInterrupts(
  node: FirmwareNode,
  add: (rule: string, severity: Finding['severity'], property: string, message: string) => void,
): void {
  const nrGlobal = node.u32('#global-interrupts');
  if (nrGlobal === undefined) {
    add('smmu-v2-global-interrupts', 'error', '#global-interrupts', 'is missing');
    return;
  }
  const nr = node.interrupts.length;
  if (nr <= nrGlobal)
    add('smmu-v2-context-interrupts', 'error', 'interrupts', `are ${nr}, ${nrGlobal + 1} wanted at least`);
  if (nrGlobal === 0)
    add('smmu-v2-no-interrupt', 'warning', '#global-interrupts', 'is 0: nobody hears of streams that nothing matches');
}
