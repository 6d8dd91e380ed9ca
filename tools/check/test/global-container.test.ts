// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('global-container: decorators that register at import and any use of `container` but for children are found', () => {
  const found = findings('global-container', {
    'packages/core/package.json': {},
    'packages/core/src/fine.ts': `
      import { container, inject, injectable, type DependencyContainer } from 'tsyringe';
      export const child: DependencyContainer = container.createChildContainer();
      @injectable() export class Host {}`,
    'packages/core/src/decorators.ts': "import { singleton as once, registry } from 'tsyringe';",
    'packages/core/src/register.ts':
      "import { container as all } from 'tsyringe';\nall.register('x', { useValue: 1 });",
    'packages/core/src/reexport.ts': "export { container } from 'tsyringe';\nexport * from 'tsyringe';",
    'packages/gic-v2/package.json': {},
    'packages/gic-v2/src/driver.ts': `
      import { injectable } from '@irqkit/core';
      @injectable({ token: 'GIC' }) export class GicV2 {}`,
  });
  expect(found).toEqual([
    'core/src/decorators.ts: takes singleton from tsyringe',
    'core/src/decorators.ts: takes registry from tsyringe',
    'core/src/reexport.ts: exports the global container',
    'core/src/reexport.ts: names what it takes from tsyringe',
    'core/src/register.ts: the global container is used other than for createChildContainer()',
    'gic-v2/src/driver.ts: @injectable({ token }) registers globally',
  ]);
});
