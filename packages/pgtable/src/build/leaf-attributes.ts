// SPDX-License-Identifier: Apache-2.0
// IOMMU_PROT as attributes of leaves, encoded as Linux 6.1 encodes them. Fields: Arm DDI 0487, chapter D8, "Translation table
// descriptor formats".

import { IOMMU_PROT } from '@irqkit/core';
import { AP, DESCRIPTOR, MEM_ATTR, S2AP, SHAREABILITY, STAGE1, STAGE2 } from '../descriptors.js';

/** Every sum of IOMMU_PROT bits is below. */
export const NR_PROTS = 64;

/** Memory types by STAGE1.AttrIndx. @linux ARM_LPAE_MAIR_ATTR_IDX_NC, _CACHE, _DEV */
export const ATTR_INDX = { NON_CACHEABLE: 0, WRITE_BACK: 1, DEVICE: 2, INNER_NC_OUTER_WRITE_BACK: 3 } as const;

/** MAIR_EL1.Attr<n> of them: Normal non-cacheable, write-back, Device-nGnRE, and what CPUs alone do not cache. */
const MAIR_ATTR = [0x44, 0xff, 0x04, 0xf4];

/** MAIR_EL1, low word then high: `ATTR_INDX` says which is which. */
export const MAIR: readonly [number, number] = [
  MAIR_ATTR.reduce((word, attr, index) => word + attr * 2 ** (8 * index), 0),
  0,
];

/** The words of a valid leaf by prot, low then high: all but its address and Type. @linux arm_lpae_prot_to_pte */
export function leafAttributes(stage: 1 | 2): Int32Array {
  const words = new Uint32Array(NR_PROTS * 2);
  for (let prot = 0; prot < NR_PROTS; prot++) {
    const leaf = words.subarray(prot * 2, prot * 2 + 2);
    DESCRIPTOR.Valid.put(leaf, 1);
    STAGE1.AF.put(leaf, 1);
    STAGE1.SH.put(leaf, has(prot, IOMMU_PROT.CACHE) ? SHAREABILITY.INNER : SHAREABILITY.OUTER);
    if (stage === 1) putStage1(leaf, prot);
    else putStage2(leaf, prot);
  }
  return new Int32Array(words.buffer);
}

/** There is no write-only: what can be written can be read. */
function putStage1(leaf: Uint32Array, prot: number): void {
  const readOnly = has(prot, IOMMU_PROT.WRITE) ? AP.RW_PRIVILEGED : AP.RO_PRIVILEGED;
  STAGE1.AP.put(leaf, readOnly | (has(prot, IOMMU_PROT.PRIV) ? AP.RW_PRIVILEGED : AP.RW));
  STAGE1.nG.put(leaf, 1);
  if (has(prot, IOMMU_PROT.MMIO)) STAGE1.AttrIndx.put(leaf, ATTR_INDX.DEVICE);
  else if (has(prot, IOMMU_PROT.CACHE)) STAGE1.AttrIndx.put(leaf, ATTR_INDX.WRITE_BACK);
  if (has(prot, IOMMU_PROT.NOEXEC)) {
    STAGE1.UXN.put(leaf, 1);
    STAGE1.PXN.put(leaf, 1);
  }
}

function putStage2(leaf: Uint32Array, prot: number): void {
  const readable = has(prot, IOMMU_PROT.READ) ? S2AP.READ : S2AP.NONE;
  STAGE2.S2AP.put(leaf, readable | (has(prot, IOMMU_PROT.WRITE) ? S2AP.WRITE : S2AP.NONE));
  if (has(prot, IOMMU_PROT.MMIO)) STAGE2.MemAttr.put(leaf, MEM_ATTR.DEVICE_nGnRE);
  else if (has(prot, IOMMU_PROT.CACHE)) STAGE2.MemAttr.put(leaf, MEM_ATTR.NORMAL_WRITE_BACK);
  else STAGE2.MemAttr.put(leaf, MEM_ATTR.NORMAL_NON_CACHEABLE);
  // CHOICE: both bits, as Linux has it. With FEAT_XNX that leaves execution to privileged accesses alone.
  if (has(prot, IOMMU_PROT.NOEXEC)) STAGE2.XN.put(leaf, 0b11);
}

const has = (prot: number, bit: number): boolean => (prot & bit) !== 0;
