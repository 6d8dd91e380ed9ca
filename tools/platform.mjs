// SPDX-License-Identifier: Apache-2.0
// Makes packages/cli/platforms/virt-gic-v2m.dtb anew: the devicetree of QEMU's `virt` machine with a GICv2, its GICv2m frame and
// two processors, as QEMU 7.2 dumps it, without the padding. Needs qemu-system-aarch64 and dtc.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './workspace/root.mjs';

const folder = mkdtempSync(join(tmpdir(), 'irqkit-platform-'));
const dump = join(folder, 'dump.dtb');
const machine = `virt,gic-version=2,dtb-randomness=off,dumpdtb=${dump}`;
execFileSync('qemu-system-aarch64', [
  '-machine',
  machine,
  '-cpu',
  'cortex-a72',
  '-smp',
  '2',
  '-m',
  '512',
  '-nodefaults',
]);
const output = join(root, 'packages/cli/platforms/virt-gic-v2m.dtb');
execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dtb', '-o', output, dump]);
rmSync(folder, { recursive: true });
