// SPDX-License-Identifier: Apache-2.0
// Implementations as data, by `compatible`. Sources: devicetree binding arm,smmu.yaml (Linux 6.1); errata and auxiliary
// registers as Linux 6.1 arm-smmu-impl.c, arm-smmu-nvidia.c and arm-smmu-qcom.c treat them.
// UNIMP: Tegra's SMMUs, which are several that are programmed alike (nvidia,smmu-500)
// UNIMP: streams that Qualcomm's firmware leaves in use, and its hypervisors that refuse bypass
// UNIMP: split tables (TTBR1) for Adreno GPUs

import { LinuxError } from '@irqkit/core';
import type { FirmwareNode } from '@irqkit/core';

export interface SmmuVariant {
  readonly architecture: 1 | 2;
  /** SMMUv1 with the 64 KiB Translation Granule Supplement. @linux ARM_SMMU_V1_64K */
  readonly granule64k: boolean;
  /** CR and ACTLR of an MMU-500 have caches to be set up. @linux arm_mmu500_reset */
  readonly mmu500: boolean;
  /** IDR2 tells of AArch64 tables that do not work. Erratum 582743 of Armada AP806. @linux mrvl_mmu500_cfg_probe */
  readonly hidesAarch64: boolean;
  /** Takes no 64-bit accesses: the high word goes first. Erratum 582743. @linux mrvl_mmu500_writeq */
  readonly splitsDoublewords: boolean;
  /** All SMMUs of the system share ASIDs and VMIDs. Erratum 27704 of ThunderX. @linux cavium_cfg_probe */
  readonly sharesIds: boolean;
}

const V2: SmmuVariant = {
  architecture: 2,
  granule64k: false,
  mmu500: false,
  hidesAarch64: false,
  splitsDoublewords: false,
  sharesIds: false,
};
const V1: SmmuVariant = { ...V2, architecture: 1 };
const MMU_500: SmmuVariant = { ...V2, mmu500: true };

const VARIANTS = {
  'arm,smmu-v1': V1,
  'arm,smmu-v2': V2,
  'arm,mmu-400': V1,
  'arm,mmu-401': { ...V1, granule64k: true },
  'arm,mmu-500': MMU_500,
  'cavium,smmu-v2': { ...V2, sharesIds: true },
  'marvell,ap806-smmu-500': { ...MMU_500, hidesAarch64: true, splitsDoublewords: true },
  'nvidia,smmu-500': undefined,
  'qcom,smmu-500': MMU_500,
  'qcom,smmu-v2': V2,
} as const satisfies Readonly<Record<string, SmmuVariant | undefined>>;

/** What the driver is offered for; what it refuses of that, it says. */
export const COMPATIBLE = Object.keys(VARIANTS) as readonly (keyof typeof VARIANTS)[];

/** The node's variant, by the most specific `compatible`. @throws LinuxError EOPNOTSUPP */
export function variantOf(node: FirmwareNode): SmmuVariant {
  const known = COMPATIBLE.find((name) => name === node.compatible.find((each) => each in VARIANTS));
  const variant = known && VARIANTS[known];
  if (variant) return variant;
  throw new LinuxError('EOPNOTSUPP', `${node.path}: ${known ?? node.compatible.join(', ')} is not supported`);
}
