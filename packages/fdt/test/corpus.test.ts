// SPDX-License-Identifier: Apache-2.0
// The recorded devicetrees: parsed, written, printed; dtc is the judge. test-e2e/fdt-corpus.test.ts sends all of them to dtc.

import type { FirmwareNode } from '@irqkit/core';
import { firmwareFromFdt, parseFdt, printDts, writeFdt } from '@irqkit/fdt';
import { describeWithShared, describeWithTool, runs, sharedPath } from '@irqkit-test/env';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { corpus, readTree, sample } from './corpus.js';
import { differenceOf } from './tree.js';

const SECOND = 1000;

const DECODING: readonly ((node: FirmwareNode) => unknown)[] = [
  (node) => node.compatible,
  (node) => node.phandle,
  (node) => node.regs,
  (node) => node.ranges,
  (node) => node.dmaRanges,
  (node) => node.interrupts,
  (node) => node.mapId('msi', 0x100),
  (node) => node.mapId('iommu', 0x100),
];

describeWithShared('recorded trees', () => {
  test('are 203', () => {
    expect(corpus).toHaveLength(203);
  });

  test.each(corpus)('%s: parsed, written and parsed again', (name) => {
    const tree = parseFdt(readTree(name));
    const again = parseFdt(writeFdt(tree));
    expect(again).toMatchObject({ version: 17, bootCpuid: tree.bootCpuid, reservations: tree.reservations });
    expect(differenceOf(again.root, tree.root)).toBeUndefined();
  });

  test('decode without an error, every property of every node', () => {
    const errors: string[] = [];
    let nodes = 0;
    for (const name of corpus) {
      const firmware = firmwareFromFdt(readTree(name));
      if (firmware.cpus.length === 0) errors.push(`${name}: no processors`);
      for (const node of firmware.nodes) {
        nodes++;
        for (const read of DECODING) {
          try {
            read(node);
          } catch (error) {
            errors.push(`${name} ${String(error)}`);
          }
        }
      }
    }
    expect(errors).toEqual([]);
    expect(nodes).toBeGreaterThan(80_000);
  });

  describeWithTool('dtc', 'through dtc', () => {
    const dtc = (from: string, to: string, input: string | Uint8Array): Buffer =>
      spawnSync('dtc', ['-q', '-s', '-I', from, '-O', to, '-o', '-', '-'], { input, maxBuffer: 2 ** 26 }).stdout;

    test.each(sample(runs(25, corpus.length)))(
      '%s: the same text from original, rewritten and printed',
      (name) => {
        const blob = readTree(name);
        const tree = parseFdt(blob);
        const text = dtc('dtb', 'dts', blob).toString();
        expect(text).toMatch(/^\/dts-v1\/;/);
        expect(dtc('dtb', 'dts', writeFdt(tree)).toString()).toBe(text);
        expect(dtc('dtb', 'dts', dtc('dts', 'dtb', printDts(tree))).toString()).toBe(text);
      },
      30 * SECOND,
    );
  });
});

/** What QEMU's `virt` has is known from its memory map and from the booted Linux in data/boots. */
describeWithShared('the tree of boot A (GICv3, ITS, SMMUv3)', () => {
  const firmware = (): ReturnType<typeof firmwareFromFdt> =>
    firmwareFromFdt(readFileSync(sharedPath('data', 'boots', 'A', 'platform.dtb')));

  test('controllers', () => {
    expect(firmware().find('/intc@8000000/its@8080000')?.regs).toEqual([{ base: 0x808_0000, sizeBytes: 0x2_0000 }]);
    expect(firmware().find('/intc@8000000')?.reg(1)).toEqual({ base: 0x80a_0000, sizeBytes: 0xf6_0000 });
  });

  test('SPIs of the SMMU: eventq, priq, cmdq-sync, gerror', () => {
    const smmu = firmware().find('/smmuv3@9050000');
    expect(smmu?.strings('interrupt-names')).toEqual(['eventq', 'priq', 'cmdq-sync', 'gerror']);
    expect(smmu?.interrupts.map(({ controller, args }) => [controller.path, ...args])).toEqual([
      ['/intc@8000000', 0, 74, 1],
      ['/intc@8000000', 0, 75, 1],
      ['/intc@8000000', 0, 76, 1],
      ['/intc@8000000', 0, 77, 1],
    ]);
  });

  test('requester ids, and INTx swizzled over four SPIs', () => {
    const host = firmware().find('/pcie@10000000');
    expect(host?.mapId('msi', 0x10)).toMatchObject({ controller: { path: '/intc@8000000/its@8080000' }, id: 0x10 });
    expect(host?.mapId('iommu', 0x200)).toMatchObject({ controller: { path: '/smmuv3@9050000' }, id: 0x200 });
    // 00:02.0 INTA, 00:03.0 INTB, and slot 6, which the mask makes slot 2.
    expect(host?.mapInterrupt([0x1000, 0, 0], [1])?.args).toEqual([0, 5, 4]);
    expect(host?.mapInterrupt([0x1800, 0, 0], [2])?.args).toEqual([0, 3, 4]);
    expect(host?.mapInterrupt([0x3000, 0, 0], [1])?.args).toEqual([0, 5, 4]);
  });
});
