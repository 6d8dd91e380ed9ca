// SPDX-License-Identifier: Apache-2.0
// Makes packages/cli/platforms/ anew: the devicetrees of QEMU's `virt` machine with two processors, with a GICv3 and its ITS, with
// and without an SMMUv3, and with a GICv2 and its GICv2m frame, as QEMU 7.2 dumps them, without the padding. Needs
// qemu-system-aarch64 and dtc.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './workspace/root.mjs';

const PLATFORMS = {
  'virt-gic-v3-its-smmu-v3': 'gic-version=3,its=on,iommu=smmuv3',
  'virt-gic-v3-its': 'gic-version=3,its=on',
  'virt-gic-v2m': 'gic-version=2',
};
const PROCESSORS = ['-cpu', 'cortex-a72', '-smp', '2'];

const folder = mkdtempSync(join(tmpdir(), 'irqkit-platform-'));
for (const [name, options] of Object.entries(PLATFORMS)) {
  const dump = join(folder, `${name}.dtb`);
  const machine = `virt,${options},dtb-randomness=off,dumpdtb=${dump}`;
  execFileSync('qemu-system-aarch64', ['-machine', machine, ...PROCESSORS, '-m', '512', '-nodefaults']);
  const output = join(root, 'packages/cli/platforms', `${name}.dtb`);
  execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dtb', '-o', output, dump]);
}
rmSync(folder, { recursive: true });
