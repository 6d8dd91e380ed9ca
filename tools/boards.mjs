// SPDX-License-Identifier: Apache-2.0
// `node tools/boards.mjs`: writes docs/smmu-v2-boards.md anew, from the survey that its test compares it with.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './workspace/root.mjs';

const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--config', join(root, 'jest.e2e.config.mjs')];
const env = { ...process.env, IRQKIT_WRITE_DOCS: '1' };
const survey = 'test-e2e/smmu-v2-boards.test.ts';
process.exitCode = spawnSync(process.execPath, [...jest, survey], { cwd: root, stdio: 'inherit', env }).status ?? 1;
