// SPDX-License-Identifier: Apache-2.0
import { journey, PLUGINS } from '@irqkit/cli';
import type { TopologyNode } from '@irqkit/cli';
import { definePlugin } from '@irqkit/core';
import type { InterruptControllerModel, MmioModel, Plugin } from '@irqkit/core';
import { nvmeLike } from '@irqkit/pci/model';
import { readFileSync } from 'node:fs';
import { changedPlatform, firmware, ITS_PLATFORM, PLATFORM, V2M_PLATFORM, withProperties } from './platform.js';

const FRAME = 0x802_0000;

describe('behind an SMMUv3, on a GICv3 with its ITS', () => {
  const report = journey({ firmware: firmware() });
  const GITS_TRANSLATER = 0x809_0040;

  test('every vector is delivered exactly once, through translation', () => {
    expect([report.vectorsEnabled, report.vectorsDelivered, report.ok]).toEqual([47, 47, true]);
    expect(report.devices.flatMap(({ vectors }) => vectors).every(({ delivered }) => delivered === 1)).toBe(true);
    expect(report.warnings).toEqual([]);
  });

  test('each device has StreamIDs, a group of its own, and the doorbell at 0xfffff040 of its DMA domain', () => {
    const behind = (streamIds: readonly number[], group: number) => ({
      path: '/smmuv3@9050000',
      streamIds,
      group,
      domainType: 'dma',
      doorbells: [{ iova: 0xffff_f040, pa: GITS_TRANSLATER }],
    });
    expect(report.devices.map(({ name, iommu }) => [name, iommu])).toEqual([
      ['0000:00:02.0', behind([0x10], 0)],
      ['0000:00:03.0', behind([0x18], 1)],
      // With its root port, which was there before it.
      ['0000:01:00.0', behind([0x100], 2)],
      // Behind a PCIe-to-PCI bridge it has its own id and the bridge's alias.
      ['0000:02:01.0', behind([0x208, 0x200], 3)],
    ]);
    expect(report.devices.every(({ blocks }) => blocks.every(({ address }) => address === 0xffff_f040))).toBe(true);
  });

  test("a message to the doorbell's physical address is stopped, with its event record", () => {
    expect(report.forged).toEqual({
      device: '0000:00:02.0',
      address: GITS_TRANSLATER,
      arrived: false,
      faults: [expect.stringMatching(/F_TRANSLATION.*0x8090040/)],
    });
  });

  test('where nothing drives the SMMU, messages go untranslated and the report says so', () => {
    const withoutIommus = PLUGINS.filter(({ iommus }) => !iommus);
    const untranslated = journey({ firmware: firmware(readFileSync(PLATFORM)), plugins: withoutIommus });
    expect([untranslated.ok, untranslated.forged, untranslated.devices[0].iommu]).toEqual([true, undefined, undefined]);
    expect(untranslated.warnings).toEqual([
      '/pcie@10000000: nothing drives arm,smmu-v3 (/smmuv3@9050000): messages go untranslated',
    ]);
  });
});

describe('on a GICv3 with its ITS', () => {
  const report = journey({ firmware: firmware(readFileSync(ITS_PLATFORM)) });

  test('without an IOMMU there is nothing to forge past', () => {
    expect([report.forged, report.devices.map(({ iommu }) => iommu)]).toEqual([undefined, Array(4).fill(undefined)]);
  });

  test('every vector is delivered exactly once', () => {
    expect([report.vectorsEnabled, report.vectorsDelivered, report.ok]).toEqual([47, 47, true]);
    expect(report.devices.flatMap(({ vectors }) => vectors).every(({ delivered }) => delivered === 1)).toBe(true);
    expect(report.warnings).toEqual([]);
  });

  test('messages are EventIDs to GITS_TRANSLATER, and LPIs from 8192 on in blocks of powers of two', () => {
    const address = 0x809_0040;
    const block = (deviceId: number, nrVectors: number, firstIntid: number) => ({
      firstVector: 0,
      nrVectors,
      address,
      deviceId,
      firstData: 0,
      firstIntid,
    });
    expect(report.devices.map(({ name, mode, blocks }) => [name, mode, blocks])).toEqual([
      ['0000:00:02.0', 'MSI-X', [block(0x10, 5, 8192)]],
      ['0000:00:03.0', 'MSI', [block(0x18, 8, 8192 + 8)]],
      ['0000:01:00.0', 'MSI-X', [block(0x100, 33, 8192 + 8 + 8)]],
      // Behind a PCIe-to-PCI bridge, requests carry the secondary bus and devfn 0.
      ['0000:02:01.0', 'MSI', [block(0x200, 1, 8192 + 8 + 8 + 64)]],
    ]);
  });

  test('one doorbell of one page, which isolates devices', () => {
    expect(report.doorbells).toEqual([{ bases: [0x809_0040], sizeBytes: 4, pages: 1, isolated: true }]);
    expect([report.totalPages, report.safe]).toEqual([1, true]);
  });

  test('vectors are spread over the processors', () => {
    const total = (cpu: number) => report.interrupts.reduce((sum, { counts }) => sum + counts[cpu], 0);
    expect([total(0), total(1)]).toEqual([25, 22]);
  });
});

describe('on a GICv2 with a GICv2m frame', () => {
  const report = journey({ firmware: firmware(readFileSync(V2M_PLATFORM)) });

  test('every vector is delivered exactly once', () => {
    expect([report.vectorsEnabled, report.vectorsDelivered, report.ok]).toEqual([47, 47, true]);
    expect(report.devices.flatMap(({ vectors }) => vectors).every(({ delivered }) => delivered === 1)).toBe(true);
    expect(report.warnings).toEqual([]);
  });

  test('messages go to MSI_SETSPI_NS of the frame, with the SPIs from 80 in the order of enabling', () => {
    const message = (deviceId: number, firstVector: number, nrVectors: number, spi: number) => ({
      firstVector,
      nrVectors,
      address: FRAME + 0x40,
      deviceId,
      firstData: spi,
      firstIntid: spi,
    });
    expect(report.devices.map(({ name, mode, blocks }) => [name, mode, blocks])).toEqual([
      ['0000:00:02.0', 'MSI-X', [message(0x10, 0, 5, 80)]],
      // A block of 8 messages begins at a multiple of 8.
      ['0000:00:03.0', 'MSI', [message(0x18, 0, 8, 88)]],
      ['0000:01:00.0', 'MSI-X', [message(0x100, 0, 3, 85), message(0x100, 3, 30, 96)]],
      ['0000:02:01.0', 'MSI', [message(0x200, 0, 1, 126)]],
    ]);
  });

  test('the topology has the endpoints behind their bridges, and their way to the frame', () => {
    const [host] = report.hosts;
    expect([report.hosts.length, host.path, host.domain]).toEqual([1, '/pcie@10000000', 0]);
    const shape = (nodes: readonly TopologyNode[]): unknown[] =>
      nodes.map(({ name, behind }) => (behind.length > 0 ? [name, shape(behind)] : name));
    expect(shape(host.functions)).toEqual([
      ['0000:00:01.0', ['0000:01:00.0']],
      '0000:00:02.0',
      '0000:00:03.0',
      ['0000:00:04.0', ['0000:02:01.0']],
    ]);
    const edu = host.functions[3].behind[0];
    // Behind a PCIe-to-PCI bridge, requests carry the secondary bus and devfn 0.
    expect(edu).toMatchObject({ vendorId: 0x1234, requesterId: 0x200, msiDeviceId: 0x200, isBridge: false });
    expect(edu.msiController).toBe('/intc@8000000/v2m@8020000');
  });

  test('one doorbell of one page, which isolates nobody', () => {
    expect(report.doorbells).toEqual([{ bases: [FRAME + 0x40], sizeBytes: 4, pages: 1, isolated: false }]);
    expect([report.totalPages, report.safe]).toEqual([1, false]);
  });

  test('vectors are spread over the processors', () => {
    expect(report.nrCpus).toBe(2);
    expect(report.interrupts).toHaveLength(47);
    const total = (cpu: number) => report.interrupts.reduce((sum, { counts }) => sum + counts[cpu], 0);
    // 3 + 4 + 17 + 1 vectors of even index.
    expect([total(0), total(1)]).toEqual([25, 22]);
    expect(report.procInterrupts.split('\n')).toHaveLength(48);
  });
});

test('a vector that does not arrive is no success', () => {
  const deaf: Plugin = definePlugin({
    name: 'deaf-frame',
    coreApi: 1,
    models: [
      {
        compatible: ['deaf,frame'],
        useFactory: ({ interruptParent }) => ({
          frames: [deafFrame(interruptParent)],
          save: () => ({ version: 1 }),
          restore() {},
        }),
      },
    ],
  });
  const blob = changedPlatform('v2m@8020000', (node) =>
    withProperties(node, { compatible: 'deaf,frame\0arm,gic-v2m-frame' }),
  );
  const report = journey({ firmware: firmware(blob), plugins: [deaf, ...PLUGINS] });
  expect([report.vectorsEnabled, report.vectorsDelivered, report.ok]).toEqual([47, 46, false]);
  expect(report.devices[0].vectors.map(({ delivered }) => delivered)).toEqual([1, 1, 1, 0, 1]);
});

/** A frame like QEMU's that does not hear INTID 83. */
function deafFrame({ sink }: InterruptControllerModel): MmioModel {
  return {
    read: (offset) => (offset === 8 ? 0x50_0040 : 0),
    write(offset, value) {
      if (offset === 0x40 && value !== 83) sink.setPending(value);
    },
  };
}

test('where SPIs run out, devices have fewer vectors or none, and are told why', () => {
  const blob = changedPlatform('v2m@8020000', (node) =>
    withProperties(node, { 'arm,msi-base-spi': 80, 'arm,msi-num-spis': 16 }),
  );
  const report = journey({ firmware: firmware(blob) });
  expect(report.devices.map(({ vectors, trouble }) => [vectors.length, trouble])).toEqual([
    [5, undefined],
    [8, undefined],
    [3, expect.stringMatching(/^3 of 33 vectors: .*ENOSPC/)],
    [0, expect.stringContaining('ENOSPC')],
  ]);
  expect([report.vectorsEnabled, report.vectorsDelivered, report.ok]).toEqual([16, 16, false]);
});

test('other slots and another processor count', () => {
  const blob = changedPlatform('cpu@1', () => undefined);
  const slots = () => [{ device: 9, model: nvmeLike({ vectors: 2 }) }];
  const report = journey({ firmware: firmware(blob), slots });
  expect(report.nrCpus).toBe(1);
  expect(report.devices.map(({ name, vectors }) => [name, vectors])).toEqual([
    [
      '0000:00:09.0',
      [
        { index: 0, virq: expect.any(Number) as number, delivered: 1 },
        { index: 1, virq: expect.any(Number) as number, delivered: 1 },
      ],
    ],
  ]);
});

describe('a platform that cannot be run says what is missing', () => {
  test.each([
    [
      'a GIC that nobody drives',
      'intc@8000000',
      { compatible: 'arm,gic-v5' },
      /^\/pcie@10000000: no installed plugin drives and models arm,gic-v5 \(\/intc@8000000\)/,
    ],
    ['no MSI controller', 'pcie@10000000', { 'msi-map': undefined }, /^\/pcie@10000000: no MSI controller/],
    ['another host bridge', 'pcie@10000000', { compatible: 'pci-host-cam-generic' }, /^no PCI host bridge/],
    ['a disabled host bridge', 'pcie@10000000', { status: 'disabled' }, /^no PCI host bridge/],
  ])('%s', (_what, name, properties, message) => {
    const blob = changedPlatform(name, (node) => withProperties(node, properties));
    expect(() => journey({ firmware: firmware(blob) })).toThrow(message);
  });
});
