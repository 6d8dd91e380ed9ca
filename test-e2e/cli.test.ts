// SPDX-License-Identifier: Apache-2.0
// The built program as a process: what it prints where, and its exit codes.

import { describeWithShared, describeWithTool, sharedPath } from '@irqkit-test/env';
import { spawnSync } from 'node:child_process';
import { irqkit, MAIN } from './support/irqkit.js';

describe('irqkit as a program', () => {
  test('run delivers every vector of the platform that ships with it, without a colour in a pipe', () => {
    const { status, stdout, stderr } = irqkit('run');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('47 vectors enabled, 47 delivered\n');
    expect(stdout).toMatch(/^0000:00:02\.0 +\/smmuv3@9050000 +0x10 +0 +dma +0xfffff040 -> 0x8090040$/m);
    expect(stdout).toMatch(/^F_TRANSLATION StreamID=0x10 \(0000:00:02\.0\): write of 0x8090040/m);
    expect(stdout).not.toContain('\u001b');
  });

  test('run --json is one JSON document', () => {
    const { status, stdout } = irqkit('run', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ vectorsEnabled: 47, vectorsDelivered: 47 });
  });

  test('bad usage and bad input: exit 2, nothing on stdout, no stack trace', () => {
    for (const args of [['run', '--unknown'], ['dt', '/nowhere.dtb'], ['dt', '/'], ['replay', '/nowhere'], []]) {
      const { status, stdout, stderr } = irqkit(...args);
      expect([args, status, stdout]).toEqual([args, 2, '']);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(stderr).not.toBe('');
    }
  });

  test('a reader that stops early is no error', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"$0" "$1" run --json | head -c 1`, process.execPath, MAIN], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  describeWithTool('script', 'on a terminal', () => {
    const onTerminal = (env: Readonly<Record<string, string>>): string => {
      const { NO_COLOR: _no, FORCE_COLOR: _force, ...others } = process.env;
      const command = `'${process.execPath}' '${MAIN}' run`;
      const options = { encoding: 'utf8', env: { ...others, TERM: 'xterm', ...env } } as const;
      return spawnSync('script', ['-q', '-e', '-c', command, '/dev/null'], options).stdout;
    };

    test('there are colours, unless NO_COLOR is set', () => {
      expect(onTerminal({})).toContain('\u001b[');
      const colorless = onTerminal({ NO_COLOR: '1' });
      expect(colorless).not.toContain('\u001b[');
      expect(colorless).toContain('47 vectors enabled, 47 delivered');
    });
  });
});

describeWithShared('irqkit run on recorded devicetrees', () => {
  test.each([
    ['qemu/virt-2.7-gic2-smp2.dtb', /47 vectors enabled, 47 delivered/],
    ['qemu/virt-gic2-v2m-iommu_none-virt_on-smp4.dtb', /47 vectors enabled, 47 delivered/],
    // MSI_SETSPI_NS behind an SMMUv3, which does not make it safe.
    ['qemu/virt-gic2-v2m-iommu_smmuv3-virt_on-smp1.dtb', /^0000:00:02\.0 .* dma +0xfffff040 -> 0x8020040$/m],
    ['qemu/virt-gic2-v2m-iommu_smmuv3-virt_on-smp1.dtb', /47 vectors enabled, 47 delivered/],
    ['qemu/virt-gic2-v2m-iommu_smmuv3-virt_on-smp1.dtb', /unsafe: any device can raise any interrupt/],
    ['qemu/virt-gic3-its-iommu_smmuv3-virt_on-smp4.dtb', /47 vectors enabled, 47 delivered/],
    [
      'qemu/virt-gic3-its-iommu_smmuv3-virt_off-smp1.dtb',
      /F_TRANSLATION StreamID=0x10 \(0000:00:02\.0\): write of 0x8090040/,
    ],
    ['qemu/virt-gic3-its-iommu_none-virt_on-smp4.dtb', /47 vectors enabled, 47 delivered/],
    // Four frames below one GIC-400.
    ['boards/arm/juno-r1.dtb', /47 vectors enabled, 47 delivered/],
    ['boards/cavium/thunder2-99xx.dtb', /47 vectors enabled, 47 delivered/],
  ])('%s', (file, line) => {
    const { status, stdout } = irqkit('run', '--platform', sharedPath('data', 'dtb', file));
    expect(status).toBe(0);
    expect(stdout).toMatch(line);
  });

  test.each([
    ['qemu/virt-gic3-noits-iommu_none-virt_on-smp4.dtb', /no MSI controller/],
    ['qemu/sbsa-ref-smp1.dtb', /no PCI host bridge/],
  ])('%s is told why not', (file, line) => {
    const { status, stdout, stderr } = irqkit('run', '--platform', sharedPath('data', 'dtb', file));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
