// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('separation: driver and model meet in declarations only, however long the way', () => {
  const found = findings('separation', {
    'packages/smmu-v3/package.json': {},
    'packages/smmu-v3/src/driver.ts': "import './regs.js';\nimport './queue.js';\nimport '@irqkit/pgtable/walk';",
    'packages/smmu-v3/src/queue.ts': "import './ring.js';\nimport './commands.js';",
    'packages/smmu-v3/src/ring.ts': '',
    'packages/smmu-v3/src/regs.ts': '',
    'packages/smmu-v3/src/commands.ts': "import './regs.js';",
    'packages/smmu-v3/src/model/index.ts': "import '../regs.js';\nimport './walk.js';\nimport '@irqkit/pgtable/walk';",
    'packages/smmu-v3/src/model/walk.ts': "import '../ring.js';\nimport '@irqkit/pgtable/build';",
    'packages/pci/package.json': {},
    'packages/pci/src/host/index.ts': "import type { Bridge } from '../model/bridge.js';",
    'packages/pci/src/model/bridge.ts': "import '../regs.js';",
    'packages/pci/src/regs.ts': '',
    'packages/core/package.json': {},
    'packages/core/src/host/host.ts': "import '../irq.js';",
    'packages/core/src/irq.ts': '',
  });
  expect(found).toEqual([
    'pci/src/model/bridge.ts: is reached from both driver and model',
    'smmu-v3/src/ring.ts: is reached from both driver and model',
    'smmu-v3/src/driver.ts: @irqkit/pgtable/walk is not for the driver side',
    'smmu-v3/src/model/walk.ts: @irqkit/pgtable/build is not for the model side',
  ]);
});
