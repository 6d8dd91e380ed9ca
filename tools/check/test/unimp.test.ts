// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('unimp: comments and the Unsupported list are compared both ways', () => {
  const found = findings('unimp', {
    'packages/gic-v2/package.json': {},
    'packages/gic-v2/README.md': `# @irqkit/gic-v2
## Unsupported

- Virtualization extensions (\`GICH\`, GICV):
  no list registers.
- Security extensions.
`,
    'packages/gic-v2/src/model.ts': `
      // UNIMP: virtualization extensions (GICH, GICV): no list registers.
      /* UNIMP: power management */
      export {};`,
    'packages/core/package.json': {},
    'packages/core/README.md': '# @irqkit/core\n## Unsupported\n\nNothing known.\n',
  });
  expect(found).toEqual([
    'gic-v2/src/model.ts: "power management" is in no bullet of the README\'s Unsupported list',
    'gic-v2/README.md: Unsupported "security extensions" has no UNIMP: comment',
  ]);
});
