// SPDX-License-Identifier: Apache-2.0
// R9, R11, R14 with SMMUv1 and SMMUv2 of recorded boards: each vector arrives once by the address that was computed by hand, and a
// write to where the doorbell really is arrives nowhere and is reported.

import { describeWithShared } from '@irqkit-test/env';
import { journey } from '@irqkit/cli';
import type { IommuFault, Silicon } from '@irqkit/core';
import { SmmuV2Driver, smmuV2 } from '@irqkit/smmu-v2';
import { boardTree } from './support/board-trees.js';
import type { Changes } from './support/board-trees.js';
import { SmmuSystem, WITHOUT_SMMU } from './support/smmu-system.js';
import { gicSilicon, withMemory } from './support/smmu-v2-survey.js';

const NR_VECTORS = 8;

interface Composed {
  readonly tree: string;
  readonly changes?: Readonly<Record<string, Changes>>;
  readonly silicon?: Readonly<Record<string, Silicon>>;
  readonly pcie: string;
  readonly places?: readonly (readonly [device: number, fn: number])[];
  /** By function: the SMMU and the StreamID that it is behind, and its messages: address, doorbell, first datum. */
  readonly functions: readonly {
    readonly smmu: string;
    readonly streamId: number;
    readonly iova: number;
    readonly pa: number;
    readonly data: number;
  }[];
  readonly stage: 1 | 2;
  /** Groups, by function. */
  readonly groups: readonly number[];
}

const intids = (first: number): readonly number[] => [...Array(NR_VECTORS).keys()].map((n) => first + n);

/** A plain ECAM root with one bus. */
const ecam = (hi: number, lo: number): Changes => ({
  compatible: 'pci-host-ecam-generic',
  reg: [hi, lo, 0, 0x10_0000],
  'bus-range': [0, 0],
  status: undefined,
  'linux,pci-domain': undefined,
});

const MARVELL_SMMU = '/ap806/config-space@f0000000/iommu@5000000';
const JUNO_SMMU = '/iommu@2b500000';
const LS1028_SMMU = '/soc/iommu@5000000';
const [APPS_SMMU, GPU_SMMU] = ['/soc@0/iommu@15000000', '/soc@0/iommu@3da0000'];
const SC7280_ITS = '/soc@0/interrupt-controller@17a00000/gic-its@17a40000';

const COMPOSITIONS: Readonly<Record<string, Composed>> = {
  // Its boot loader enables the SMMU. Its iommu-map has a mask, which keeps device and function.
  'R14: a GICv2m frame behind an SMMUv2: Armada 8040': {
    tree: 'marvell/armada-8040-mcbin.dtb',
    changes: { [MARVELL_SMMU]: { status: undefined }, '/cp0/pcie@f2600000': ecam(0, 0xe000_0000) },
    pcie: '/cp0/pcie@f2600000',
    functions: [
      { smmu: MARVELL_SMMU, streamId: 0x488, iova: 0xffff_f040, pa: 0xf028_0040, data: 160 },
      { smmu: MARVELL_SMMU, streamId: 0x490, iova: 0xffff_f040, pa: 0xf028_0040, data: 168 },
    ],
    stage: 1,
    groups: [0, 1],
  },
  // Every RequesterID is StreamID 0.
  'R14: a GICv2m frame behind an SMMUv1: Juno r1': {
    tree: 'arm/juno-r1.dtb',
    pcie: '/pcie@40000000',
    silicon: { '/interrupt-controller@2c010000/v2m@0': { MSI_TYPER: (224 << 16) | 32 } },
    functions: [
      { smmu: JUNO_SMMU, streamId: 0, iova: 0xffff_f040, pa: 0x2c1c_0040, data: 224 },
      { smmu: JUNO_SMMU, streamId: 0, iova: 0xffff_f040, pa: 0x2c1c_0040, data: 232 },
    ],
    stage: 2,
    groups: [0, 0],
  },
  // Its maps have 14 RequesterIDs. Two functions of one device without ACS share a group.
  'R14: an ITS behind an SMMUv2: LS1028A': {
    tree: 'freescale/fsl-ls1028a-qds-65bb.dtb',
    pcie: '/soc/pcie@1f0000000',
    places: [
      [1, 0],
      [1, 1],
    ],
    functions: [
      { smmu: LS1028_SMMU, streamId: 0x1f, iova: 0xffff_f040, pa: 0x603_0040, data: 0 },
      { smmu: LS1028_SMMU, streamId: 0x20, iova: 0xffff_f040, pa: 0x603_0040, data: 0 },
    ],
    stage: 1,
    groups: [0, 0],
  },
  // Firmware hides the ITS of this laptop; its GPU's SMMU serves the second function.
  'R11: an ITS behind two SMMUv2: SC7280': {
    tree: 'qcom/sc7280-idp.dtb',
    changes: {
      [SC7280_ITS]: { status: undefined, phandle: [0x1000] },
      '/soc@0/pci@1c08000': {
        ...ecam(0, 0x6010_0000),
        'iommu-map': [0x08, 0x36, 0x1c80, 1, 0x10, 0xdb, 0x407, 1],
        'msi-map': [0, 0x1000, 0, 0x1_0000],
      },
    },
    pcie: '/soc@0/pci@1c08000',
    functions: [
      { smmu: APPS_SMMU, streamId: 0x1c80, iova: 0xffff_f040, pa: 0x17a5_0040, data: 0 },
      { smmu: GPU_SMMU, streamId: 0x407, iova: 0xffff_f040, pa: 0x17a5_0040, data: 0 },
    ],
    stage: 1,
    groups: [0, 1],
  },
};

describeWithShared('boards with SMMUv1 and SMMUv2', () => {
  describe.each(Object.entries(COMPOSITIONS))('%s', (_title, composed) => {
    const { functions, stage, groups } = composed;
    let system: SmmuSystem;
    let faults: IommuFault[];

    beforeEach(() => {
      const firmware = withMemory(boardTree(composed.tree, composed.changes));
      system = new SmmuSystem({
        firmware,
        pcie: composed.pcie,
        places: composed.places,
        vectors: functions.map(() => NR_VECTORS),
        plugins: [...WITHOUT_SMMU, smmuV2],
        silicon: { ...gicSilicon(firmware), ...composed.silicon },
      });
      faults = [];
      system.host.iommus.onFault((fault) => faults.push(fault));
      functions.forEach((_, which) => system.enable(which, NR_VECTORS));
    });

    afterEach(() => {
      system.host.teardown();
      expect(system.host.iommus.groups).toEqual([]);
      system.board.dispose();
    });

    const expectAllArrive = (which: number): void => {
      const seen = intids(0).map((vector) => system.taken(() => system.raise(which, vector)));
      expect(seen).toEqual(intids(0).map((vector) => [expect.stringMatching(`^${which}.${vector}@`) as unknown]));
    };

    test('R9: each function is programmed with the bound IOVA, and every vector arrives once', () => {
      functions.forEach(({ iova, pa, data }, which) => {
        expect(system.messages(which)).toEqual(intids(data).map((datum) => [iova, datum]));
        expect(system.domain(which).iovaToPhys(iova as never)).toBe(pa);
        expectAllArrive(which);
      });
      expect(faults).toEqual([]);
    });

    test('each function is behind its SMMU, at the stage that there is, in its group', () => {
      expect(functions.map((_, which) => system.domain(which).iommu.path)).toEqual(functions.map(({ smmu }) => smmu));
      for (const { smmu } of functions)
        expect(system.driver(SmmuV2Driver, smmu).features).toMatchObject({ stage1: stage === 1 });
      const ids = system.devices.map(({ iommuGroup }) => iommuGroup!.id);
      expect(ids.map((id) => ids.indexOf(id))).toEqual(groups);
    });

    test('a write to where the doorbell really is arrives nowhere and is reported', () => {
      functions.forEach(({ smmu, streamId, pa, data }, which) => {
        faults = [];
        const taken = system.taken(() => expect(system.store(which, pa, data)).toBe(false));
        expect(taken).toEqual([]);
        expect(faults).toMatchObject([
          { id: streamId, address: pa, write: true, event: 'FSR.TF', iommu: { path: smmu } },
        ]);
        expect(system.devices.filter(({ iommuGroup }) => iommuGroup === system.devices[which].iommuGroup)).toContain(
          faults[0].device,
        );
      });
      functions.forEach((_, which) => expectAllArrive(which));
    });

    test('R11: after disabling, the binding stays in the DMA domain, without users; enabling again takes it', () => {
      functions.forEach((_, which) => system.disable(which));
      functions.forEach(({ iova, pa }, which) => {
        const { bindings } = system.dmaDomain(which).msiBindings;
        const pageBytes = system.domain(which).pageSizes[0];
        expect(bindings).toContainEqual({ iova: iova - (iova % pageBytes), pa: pa - (pa % pageBytes), users: 0 });
        expect(system.taken(() => system.raise(which, 0))).toEqual([]);
      });
      functions.forEach(({ iova, data }, which) => {
        system.enable(which, NR_VECTORS);
        expect(system.messages(which)[0]).toEqual([iova, data]);
        expectAllArrive(which);
      });
    });
  });

  describe('irqkit run, which knows no SMMU', () => {
    const { tree, changes } = COMPOSITIONS['R14: a GICv2m frame behind an SMMUv2: Armada 8040'];
    const PLATFORMS = {
      'Juno r1': [() => boardTree('arm/juno-r1.dtb'), JUNO_SMMU, 0x2c1c_0040],
      'Armada 8040': [() => withMemory(boardTree(tree, changes)), MARVELL_SMMU, 0xf028_0040],
    } as const;

    test.each(Object.entries(PLATFORMS))('R14: %s: every vector arrives, a forged one does not', (_name, platform) => {
      const [firmware, smmu, pa] = platform;
      const report = journey({ firmware: firmware() });
      expect(report.ok).toBe(true);
      expect(report.vectorsDelivered).toBe(report.vectorsEnabled);
      expect(report.vectorsEnabled).toBeGreaterThan(10);
      for (const { iommu } of report.devices)
        expect(iommu).toMatchObject({ path: smmu, domainType: 'dma', doorbells: [{ iova: 0xffff_f040, pa }] });
      expect(report.forged).toMatchObject({
        address: pa,
        arrived: false,
        faults: [expect.stringMatching(/^FSR\.TF /)],
      });
    });
  });
});
