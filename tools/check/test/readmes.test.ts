// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

const parts = '## Install\n\n## Usage\n\n## API\n\n## Unsupported\n';

test('readmes: the five parts, in order, after one sentence', () => {
  const found = findings('readmes', {
    'packages/bits/package.json': { name: '@irqkit/bits' },
    'packages/bits/README.md': `# @irqkit/bits\n\nFields for \`node.js\` 20.19\nand browsers.\n\n${parts}`,
    'packages/core/package.json': { name: '@irqkit/core' },
    'packages/fdt/package.json': { name: '@irqkit/fdt' },
    'packages/fdt/README.md': `# FDT\n\nOne. Two.\n\n## Contents\n\n${parts}`,
  });
  expect(found).toEqual([
    'core/README.md: is missing',
    'fdt/README.md: does not begin with "# @irqkit/fdt"',
    'fdt/README.md: what it is takes one sentence',
    'fdt/README.md: its parts are not Install, Usage, API, Unsupported',
  ]);
});
