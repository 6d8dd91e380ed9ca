// SPDX-License-Identifier: Apache-2.0
// Arm SMMUv1 and SMMUv2: driver, model and description.

import { CORE_API, definePlugin } from '@irqkit/core';
import type { ModelEntry, Silicon } from '@irqkit/core';
import { smmuV2Description } from './description/smmu-v2-description.js';
import { SmmuV2Driver } from './driver/smmu-v2-driver.js';
import { COMPATIBLE } from './driver/variants.js';
import { SmmuV2Model } from './model/smmu-v2-model.js';
import {
  CAVIUM_SILICON,
  MMU400_SILICON,
  MMU401_SILICON,
  MMU500_SILICON,
  QCOM_MMU500_SILICON,
  QCOM_SMMU_V2_SILICON,
  SMMU_V1_SILICON,
  SMMU_V2_SILICON,
} from './silicon.js';

/** SoCs of which the devicetree binding arm,smmu.yaml (Linux 6.1) names Qualcomm's MMU-500. */
const QCOM_MMU500 = [
  'qcom,smmu-500',
  'qcom,qcm2290-smmu-500',
  'qcom,sc7180-smmu-500',
  'qcom,sc7280-smmu-500',
  'qcom,sc8180x-smmu-500',
  'qcom,sc8280xp-smmu-500',
  'qcom,sdm845-smmu-500',
  'qcom,sdx55-smmu-500',
  'qcom,sdx65-smmu-500',
  'qcom,sm6350-smmu-500',
  'qcom,sm6375-smmu-500',
  'qcom,sm8150-smmu-500',
  'qcom,sm8250-smmu-500',
  'qcom,sm8350-smmu-500',
  'qcom,sm8450-smmu-500',
] as const;

const model = (silicon: Silicon, ...compatible: readonly string[]): ModelEntry => ({
  compatible,
  silicon,
  useClass: SmmuV2Model,
});

export const smmuV2 = definePlugin({
  name: '@irqkit/smmu-v2',
  coreApi: CORE_API,
  iommus: [{ compatible: COMPATIBLE, useClass: SmmuV2Driver }],
  models: [
    model(SMMU_V1_SILICON, 'arm,smmu-v1'),
    model(MMU400_SILICON, 'arm,mmu-400'),
    model(MMU401_SILICON, 'arm,mmu-401'),
    model(SMMU_V2_SILICON, 'arm,smmu-v2'),
    model(MMU500_SILICON, 'arm,mmu-500', 'marvell,ap806-smmu-500'),
    model(CAVIUM_SILICON, 'cavium,smmu-v2'),
    model(QCOM_SMMU_V2_SILICON, 'qcom,smmu-v2'),
    model(QCOM_MMU500_SILICON, ...QCOM_MMU500),
  ],
  descriptions: [{ compatible: COMPATIBLE, description: smmuV2Description }],
});

export { smmuV2Description } from './description/smmu-v2-description.js';
export type { FaultListener } from './driver/fault-reports.js';
export type { SmmuFeatures } from './driver/smmu-features.js';
export type { SmmuFault } from './driver/smmu-fault.js';
export { describeFault, faultEvent } from './driver/smmu-fault.js';
export { SmmuV2Driver } from './driver/smmu-v2-driver.js';
export type { StreamMatchFacts } from './driver/smmu-v2-driver.js';
export { SmmuV2Model } from './model/smmu-v2-model.js';
export type { Translate } from './model/fast-path.js';
export { TERMINATED } from './model/translation.js';
export {
  CAVIUM_SILICON,
  MMU400_SILICON,
  MMU401_SILICON,
  MMU500_SILICON,
  QCOM_MMU500_SILICON,
  QCOM_SMMU_V2_SILICON,
  SMMU_V1_SILICON,
  SMMU_V2_SILICON,
} from './silicon.js';
export * as regs from './regs.js';
