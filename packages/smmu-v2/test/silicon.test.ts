// SPDX-License-Identifier: Apache-2.0
// What software reads of the profiles, beside what Linux printed of such hardware; and what the node adds to them.

import * as smmu from '@irqkit/smmu-v2';
import type { Silicon } from '@irqkit/core';
import { SmmuRig } from './smmu-rig.js';

const { regs } = smmu;

/** As Linux prints it: stages, address translation operations, groups, sizes in the ID registers' own encodings. */
function probed(silicon: Silicon): object {
  const rig = new SmmuRig({ silicon });
  const [id0, id2, id7] = [regs.IDR0, regs.IDR2, regs.IDR7].map((register) => rig.read(register));
  return {
    architecture: regs.IDR7.MAJOR(id7),
    stages: `${regs.IDR0.S1TS(id0)}${regs.IDR0.S2TS(id0)}${regs.IDR0.NTS(id0)}`,
    ats: regs.IDR0.ATOSNS(id0) === 0,
    groups: regs.IDR0.NUMSMRG(id0),
    aarch32: regs.IDR0.PTFS(id0),
    granules: [regs.IDR2.PTFSv8_4kB, regs.IDR2.PTFSv8_16kB, regs.IDR2.PTFSv8_64kB].map((has) => has(id2)).join(''),
    bits: [regs.IDR2.IAS, regs.IDR2.OAS].map((size) => regs.ADDRESS_SIZE_BITS[size(id2)]),
  };
}

test.each<[string, Silicon, object]>([
  [
    'MMU-500 of LX2160A: stages 1, 2, nested; 128 groups; 0x61311000; 48 bits',
    smmu.MMU500_SILICON,
    { architecture: 2, stages: '111', ats: false, groups: 128, aarch32: 0, granules: '101', bits: [48, 48] },
  ],
  [
    'MMU-401 of Juno: stage 2; 32 groups; 0x60211000; 40 bits',
    smmu.MMU401_SILICON,
    { architecture: 1, stages: '010', ats: false, groups: 32, aarch32: 1, granules: '001', bits: [40, 40] },
  ],
  [
    'ThunderX: stages 1, 2, nested; 128 groups; 0x62215000; 48 bits',
    smmu.CAVIUM_SILICON,
    { architecture: 2, stages: '111', ats: false, groups: 128, aarch32: 2, granules: '111', bits: [48, 48] },
  ],
  [
    'msm8998: stage 1; address translation ops; 16 groups; 0x63315000; 36 bits',
    smmu.QCOM_SMMU_V2_SILICON,
    { architecture: 2, stages: '100', ats: true, groups: 16, aarch32: 0, granules: '111', bits: [36, 36] },
  ],
  [
    'SM7225: stage 1; 0x61311000; 36 bits',
    smmu.QCOM_MMU500_SILICON,
    { architecture: 2, stages: '100', ats: false, groups: 128, aarch32: 0, granules: '101', bits: [36, 36] },
  ],
])('%s', (_name, silicon, expected) => {
  expect(probed(silicon)).toEqual(expected);
});

test.each([
  ['a bank for each context interrupt', { regBytes: 0x2_0000, nrContext: 9 }, {}, 0x3000_0009],
  ['no more than have a page', { regBytes: 0x1_0000, nrContext: 30 }, {}, 0x2000_0008],
  ['pages of 64 KiB where those of 4 KiB are too many', { regBytes: 0x80_0000, nrContext: 64 }, {}, 0xd000_0040],
  ['what silicon says of parts', { regBytes: 0x80_0000 }, { NUMCB: 5, NUMS2CB: 2, NUMPAGENDXB: 4 }, 0xc002_0005],
  ['what silicon says of all', { regBytes: 0x80_0000 }, { IDR1: 0xd004_0010 }, 0xd004_0010],
] as const)('IDR1 has %s', (_name, options, more, idr1) => {
  const silicon: Silicon = { ...smmu.SMMU_V2_SILICON, ...more };
  expect(new SmmuRig({ ...options, silicon }).read(regs.IDR1)).toBe(idr1);
});

test('IDR0.NUMIRPT of an SMMUv1 is the number of its wires', () => {
  const rig = new SmmuRig({ silicon: smmu.SMMU_V1_SILICON, nrContext: 3 });
  expect(regs.IDR0.NUMIRPT(rig.read(regs.IDR0))).toBe(3);
  expect(regs.IDR1.NUMCB(rig.read(regs.IDR1))).toBe(8);
});
