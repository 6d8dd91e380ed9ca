// SPDX-License-Identifier: Apache-2.0
// Every recorded board devicetree with an SMMUv1 or SMMUv2, on a board with default silicon: docs/smmu-v2-boards.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { surveyTree } from './support/smmu-v2-survey.js';
import type { SurveyedSmmu, SurveyedTree } from './support/smmu-v2-survey.js';
import { boardsDocument } from './support/smmu-v2-boards-document.js';

const DOCUMENT = fileURLToPath(new URL('../docs/smmu-v2-boards.md', import.meta.url));
/** Of an SMMUv1 or SMMUv2 in INDEX.tsv; `qcom,msm-iommu-v1` is something else. */
const COMPATIBLE = /arm,smmu-v[12]|arm,mmu-[45]0[01]|qcom,smmu-v2|smmu-500/;

describeWithShared('boards with SMMUv1 and SMMUv2', () => {
  const trees = new Map<string, SurveyedTree>();
  const smmuOf = (tree: string, path: string): SurveyedSmmu =>
    trees.get(tree)!.smmus.find((smmu) => smmu.path === path)!;

  beforeAll(() => {
    const [, ...lines] = readFileSync(sharedPath('data/dtb/boards/INDEX.tsv'), 'utf8').trimEnd().split('\n');
    for (const line of lines) {
      const [file, , compatible] = line.split('\t');
      if (COMPATIBLE.test(compatible)) trees.set(file, surveyTree(readFileSync(sharedPath('data/dtb/boards', file))));
    }
  });

  test('every SMMU is probed, and every master has its stream entries or a named conflict', () => {
    expect(trees.size).toBe(107);
    for (const { smmus } of trees.values()) {
      expect(smmus.length).toBeGreaterThan(0);
      for (const { nrMasters, nrGroups, nrTranslated, conflicts, entries } of smmus) {
        const nrTaken = nrMasters - conflicts.length;
        expect([nrGroups, nrTranslated].every((nr) => nr <= nrTaken)).toBe(true);
        expect(nrGroups > 0).toBe(nrTaken > 0);
        expect(entries[0]).toBeGreaterThanOrEqual(nrGroups);
        for (const conflict of conflicts) expect(conflict).toMatch(/\((ENOSPC|EINVAL|ERANGE)\)$|^\S+ .*: no id/);
      }
    }
  });

  // Read from the trees' sources by hand.
  test('Juno: nine channels of a DMA controller; two USB controllers that share a stream', () => {
    const juno = (path: string) => smmuOf('arm/juno-r1.dtb', path);
    expect(juno('/iommu@7fb00000')).toMatchObject({ entries: [9, 32], nrMasters: 1, conflicts: [] });
    expect(juno('/iommu@7fb30000')).toMatchObject({ entries: [1, 32], nrMasters: 2, nrGroups: 1 });
    expect(juno('/iommu@2b400000')).toMatchObject({ enabled: false, nrMasters: 0 });
  });

  test('LS1088A: one StreamID for all, as the boot loader has not given any: they are one group', () => {
    expect(smmuOf('freescale/fsl-ls1088a-rdb.dtb', '/soc/iommu@5000000')).toMatchObject({
      entries: [1, 128],
      nrGroups: 1,
      conflicts: [expect.stringMatching('fsl-mc@80c000000 RequesterID 0x0: no id')],
    });
  });

  test('MSM8996: more streams than the stream match registers of the default silicon is ENOSPC, undone', () => {
    expect(smmuOf('qcom/apq8096-ifc6640.dtb', '/soc/iommu@d40000')).toMatchObject({
      entries: [0, 16],
      nrGroups: 0,
      conflicts: [expect.stringMatching(/StreamID 0x2b .*video-codec@c00000 \(ENOSPC\)$/)],
    });
  });

  test('ZynqMP: more masters than context banks: the others have streams and no domain of their own', () => {
    expect(smmuOf('xilinx/zynqmp-sm-k26-revA.dtb', '/axi/iommu@fd800000')).toMatchObject({
      banks: 16,
      nrTranslated: 16,
      conflicts: [],
    });
  });

  test('the table in docs is what the boards say', () => {
    const document = boardsDocument(trees);
    if (process.env['IRQKIT_WRITE_DOCS'] === '1') writeFileSync(DOCUMENT, document);
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(document);
  });
});
