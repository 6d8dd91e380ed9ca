// SPDX-License-Identifier: Apache-2.0
import { callTool } from '../../testing/call-tool.js';

test('prune: outputs without a source go, and nothing else', () => {
  const gone = callTool('ready/prune.mjs', 'pruneOutputs', {
    'src/host/index.ts': '',
    'dist/.tsbuildinfo': '{}',
    'dist/host/index.js': '',
    'dist/host/index.js.map': '',
    'dist/host/index.d.ts': '',
    'dist/host/index.d.ts.map': '',
    'dist/old.js': '',
    'dist/old.d.ts.map': '',
  });
  expect(gone).toEqual(['old.d.ts.map', 'old.js']);
});
