// SPDX-License-Identifier: Apache-2.0
// The survey of boards as a table to read.

import type { SurveyedSmmu, SurveyedTree } from './smmu-v2-survey.js';

const HEAD = `# Boards with SMMUv1 and SMMUv2

Every recorded devicetree with such an SMMU, on a board with the plugins' default silicon. Written by \`node tools/boards.mjs\`,
compared by \`test-e2e/smmu-v2-boards.test.ts\`.

- **SMMU**: a node's path; in brackets where the tree disables it. It is surveyed all the same, as are masters that are disabled.
- **Stages**, **banks**: what the default silicon has; banks are as many as the tree has context interrupts.
- **Entries**: stream entries in use once every master was taken in, of how many there are.
- **Masters**: nodes with \`iommus\` and rows of \`iommu-map\` that lead to it. **Groups**: those that share a stream are one.
- **Translated**: masters that had a context bank for their group, too, when all were given DMA domains.
- Below the table: masters that did not get their stream entries, and why.

`;

const COLUMNS = ['Tree', 'SMMU', 'Compatible', 'Stages', 'Banks', 'Entries', 'Masters', 'Groups', 'Translated'];

export function boardsDocument(trees: ReadonlyMap<string, SurveyedTree>): string {
  const smmus = [...trees].flatMap(([tree, { smmus: found }]) => found.map((smmu) => [tree, smmu] as const));
  const rows = smmus.map(([tree, smmu]) => line(rowOf(tree, smmu)));
  const conflicts = smmus.flatMap(([tree, smmu]) => smmu.conflicts.map((conflict) => `- \`${tree}\` ${conflict}`));
  const table = [line(COLUMNS), line(COLUMNS.map(() => '---')), ...rows].join('\n');
  return `${HEAD}${table}\n\n## Conflicts\n\n${conflicts.join('\n')}\n`;
}

function rowOf(tree: string, smmu: SurveyedSmmu): readonly string[] {
  const [used, all] = smmu.entries;
  return [
    tree,
    smmu.enabled ? smmu.path : `(${smmu.path})`,
    smmu.compatible,
    smmu.stages,
    String(smmu.banks),
    `${used}/${all}`,
    String(smmu.nrMasters),
    String(smmu.nrGroups),
    String(smmu.nrTranslated),
  ];
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
