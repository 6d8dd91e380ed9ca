// SPDX-License-Identifier: Apache-2.0
// R9-R14 with whole systems: every MSI controller behind SMMUs of every shape. Each vector arrives once by the address that was
// computed by hand, and a write to where the doorbell really is arrives nowhere and is reported.

import { readFileSync } from 'node:fs';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import type { IommuFault, Iova } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { VIRT_SILICON, VIRT_STAGE2_SILICON } from '@irqkit/smmu-v3';
import { PCIE, itsPlatform } from './support/its-platform.js';
import type { ItsFacts } from './support/its-platform.js';
import {
  ITS,
  SECOND_SMMU,
  SMMU,
  behind,
  itsBehindSmmu,
  smmuNodes,
  smmuPath,
  v2mPlatform,
} from './support/smmu-platform.js';
import { SmmuSystem, expectAllArrive, untranslated } from './support/smmu-system.js';

const SECOND_ITS: ItsFacts = { base: 0x90a_0000, phandle: 3 };
const NR_VECTORS = 8;
/** RequesterIDs of 00:01.0 and 00:02.0, which are their StreamIDs unless a map says otherwise. */
const FIRST = 0x08;
const SECOND = 0x10;

/** Data of an ITS's messages: EventIDs. */
const events = (nr = NR_VECTORS): readonly number[] => [...Array(nr).keys()];
const intids = (first: number): readonly number[] => events().map((n) => first + n);

const toOneIts = [0, ITS.phandle, 0, 0x1_0000];

interface Composed {
  readonly build: () => SmmuSystem;
  /** By function: where its messages go, what that is mapped to, and the data of each. */
  readonly messages: readonly { readonly iova: number; readonly pa: number; readonly data: readonly number[] }[];
  readonly streamIds: readonly number[];
  /** Of the SMMU before each function, where it is not the only one. */
  readonly smmus?: readonly string[];
  readonly stage?: 1 | 2;
}

const COMPOSITIONS: Readonly<Record<string, Composed>> = {
  'R14: a GICv2m frame behind an SMMU': {
    build: () => new SmmuSystem({ firmware: v2mPlatform(0x802_0000), pcie: PCIE, vectors: [NR_VECTORS, NR_VECTORS] }),
    messages: [
      { iova: 0xffff_f040, pa: 0x802_0040, data: intids(80) },
      { iova: 0xffff_f040, pa: 0x802_0040, data: intids(88) },
    ],
    streamIds: [FIRST, SECOND],
  },
  'R14: an ITS behind an SMMU': {
    build: () => new SmmuSystem({ firmware: itsBehindSmmu(), pcie: PCIE, vectors: [NR_VECTORS, 32] }),
    messages: [
      { iova: 0xffff_f040, pa: 0x809_0040, data: events() },
      { iova: 0xffff_f040, pa: 0x809_0040, data: events(32) },
    ],
    streamIds: [FIRST, SECOND],
  },
  // Two functions of one device without ACS share a group, so that both pages are in one domain.
  'R11: two ITSs behind one SMMU, in one domain': {
    build: () =>
      new SmmuSystem({
        firmware: itsPlatform({
          nrCpus: 2,
          itss: [ITS, SECOND_ITS],
          msiMap: [0x08, ITS.phandle, 0x108, 1, 0x09, SECOND_ITS.phandle, 0x5, 1],
          pcie: behind(SMMU),
          nodes: smmuNodes(SMMU),
        }),
        pcie: PCIE,
        vectors: [NR_VECTORS, NR_VECTORS],
        places: [
          [1, 0],
          [1, 1],
        ],
      }),
    messages: [
      { iova: 0xffff_f040, pa: 0x809_0040, data: events() },
      { iova: 0xffff_e040, pa: 0x90b_0040, data: events() },
    ],
    streamIds: [0x08, 0x09],
  },
  'R11: one ITS behind two SMMUs, in a domain of each': {
    build: () =>
      new SmmuSystem({
        firmware: itsPlatform({
          nrCpus: 2,
          itss: [ITS],
          msiMap: toOneIts,
          pcie: { 'iommu-map': [0x00, SMMU.phandle, 0x200, 0x10, 0x10, SECOND_SMMU.phandle, 0x0, 0xfff0] },
          nodes: smmuNodes(SMMU, SECOND_SMMU),
        }),
        pcie: PCIE,
        vectors: [NR_VECTORS, NR_VECTORS],
      }),
    messages: [
      { iova: 0xffff_f040, pa: 0x809_0040, data: events() },
      { iova: 0xffff_f040, pa: 0x809_0040, data: events() },
    ],
    streamIds: [0x208, 0x0],
    smmus: [smmuPath(SMMU), smmuPath(SECOND_SMMU)],
  },
  'R12: an SMMU with stage 2 alone': {
    build: () =>
      new SmmuSystem({
        firmware: itsBehindSmmu(),
        pcie: PCIE,
        vectors: [NR_VECTORS],
        silicon: { [smmuPath(SMMU)]: VIRT_STAGE2_SILICON },
      }),
    messages: [{ iova: 0xffff_f040, pa: 0x809_0040, data: events() }],
    streamIds: [FIRST],
    stage: 2,
  },
  // IDR5.GRAN16K is bit 5, GRAN64K bit 6; the output is of 44 bits. The frame is not at the beginning of a larger page.
  'R12: an SMMU with pages of 16 KiB alone': {
    build: () =>
      new SmmuSystem({
        firmware: v2mPlatform(0x802_1000),
        pcie: PCIE,
        vectors: [NR_VECTORS],
        silicon: { [smmuPath(SMMU)]: { ...VIRT_SILICON, IDR5: 0x24 } },
      }),
    messages: [{ iova: 0xffff_d040, pa: 0x802_1040, data: intids(80) }],
    streamIds: [FIRST],
  },
  'R12: an SMMU with pages of 64 KiB alone': {
    build: () =>
      new SmmuSystem({
        firmware: v2mPlatform(0x802_1000),
        pcie: PCIE,
        vectors: [NR_VECTORS],
        silicon: { [smmuPath(SMMU)]: { ...VIRT_SILICON, IDR5: 0x44 } },
      }),
    messages: [{ iova: 0xffff_1040, pa: 0x802_1040, data: intids(80) }],
    streamIds: [FIRST],
  },
};

function close(system: SmmuSystem): void {
  system.host.teardown();
  expect(system.host.iommus.groups).toEqual([]);
  system.board.dispose();
}

describe.each(Object.entries(COMPOSITIONS))('%s', (_title, { build, messages, streamIds, smmus, stage }) => {
  let system: SmmuSystem;

  beforeEach(() => {
    system = build();
    messages.forEach(({ data }, which) => system.enable(which, data.length));
  });

  afterEach(() => close(system));

  test('R9: each function is programmed with the bound IOVA, and every vector arrives once', () => {
    messages.forEach(({ iova, data }, which) => {
      expect(system.messages(which)).toEqual(data.map((value) => [iova, value]));
      expectAllArrive(system, which);
    });
    expect(system.board.log.entries).toEqual([]);
  });

  test('a write to where the doorbell really is arrives nowhere and is reported', () => {
    const reported: IommuFault[] = [];
    system.host.iommus.onFault((fault) => reported.push(fault));
    messages.forEach(({ pa, data }, which) => {
      const taken = system.taken(() => {
        const stopped = system.stopped(() => expect(system.store(which, pa, data[0])).toBe(false));
        expect(stopped).toMatchObject([
          { ...untranslated(streamIds[which], pa, stage), device: system.devices[which] },
        ]);
      });
      expect(taken).toEqual([]);
      const iommu = { path: smmus?.[which] ?? smmuPath(SMMU) };
      expect(reported.at(-1)).toMatchObject({
        iommu,
        event: 'F_TRANSLATION',
        id: streamIds[which],
        address: pa,
        write: true,
      });
      // Beside the doorbell's page nothing is mapped either.
      const { iova } = messages[which];
      const beside = iova - system.domain(which).pageSizes[0];
      if (messages.every((other) => other.iova !== beside))
        expect(system.stopped(() => system.store(which, beside, data[0]))).toMatchObject([
          untranslated(streamIds[which], beside, stage),
        ]);
    });
    messages.forEach((_, which) => expectAllArrive(system, which));
  });

  test('R11: after disabling, the binding stays in the DMA domain, without users; enabling again takes it', () => {
    messages.forEach((_, which) => system.disable(which));
    messages.forEach(({ iova, pa, data }, which) => {
      const { bindings } = system.dmaDomain(which).msiBindings;
      const pageBytes = system.domain(which).pageSizes[0];
      expect(bindings).toContainEqual({ iova: iova - (iova % pageBytes), pa: pa - (pa % pageBytes), users: 0 });
      expect(system.domain(which).iovaToPhys(iova as Iova)).toBe(pa);
      expect(system.taken(() => system.raise(which, 0))).toEqual([]);
      system.enable(which, data.length);
      expect(system.messages(which)[0]).toEqual([iova, data[0]]);
      expectAllArrive(system, which);
    });
  });

  test('R7: bindings are counted, one user for each vector', () => {
    const perPage = new Map<string, number>();
    messages.forEach(({ data, iova }, which) => {
      const key = `${system.devices[which].iommuGroup!.id} ${iova}`;
      perPage.set(key, (perPage.get(key) ?? 0) + data.length);
    });
    for (const [which, { iova }] of messages.entries()) {
      const pageBytes = system.domain(which).pageSizes[0];
      const found = system.dmaDomain(which).msiBindings.bindings.find((one) => one.iova === iova - (iova % pageBytes));
      expect(found?.users).toBe(perPage.get(`${system.devices[which].iommuGroup!.id} ${iova}`));
    }
  });
});

describeWithShared('trees that QEMU gives its virt machine', () => {
  const tree = (name: string) => firmwareFromFdt(readFileSync(sharedPath('data/dtb/qemu', `${name}.dtb`)));

  test.each(['virt_off-smp1', 'virt_off-smp4', 'virt_on-smp1'])('R14: GICv2m behind its SMMU: %s', (variant) => {
    const firmware = tree(`virt-gic2-v2m-iommu_smmuv3-${variant}`);
    const pcie = firmware.nodes.find(({ path }) => path.startsWith('/pcie@'))!.path;
    const system = new SmmuSystem({ firmware, pcie, vectors: [NR_VECTORS, NR_VECTORS] });
    for (const which of [0, 1]) {
      system.enable(which, NR_VECTORS);
      expect(system.messages(which)).toEqual(intids(80 + which * NR_VECTORS).map((intid) => [0xffff_f040, intid]));
      expectAllArrive(system, which);
    }
    expect(system.stopped(() => system.store(0, 0x802_0040, 80))).toMatchObject([untranslated(FIRST, 0x802_0040)]);
    close(system);
  });

  test.each(['virt_off-smp1', 'virt_off-smp4', 'virt_on-smp4'])('R14: an ITS behind its SMMU: %s', (variant) => {
    const firmware = tree(`virt-gic3-its-iommu_smmuv3-${variant}`);
    const pcie = firmware.nodes.find(({ path }) => path.startsWith('/pcie@'))!.path;
    const system = new SmmuSystem({ firmware, pcie, vectors: [NR_VECTORS] });
    system.enable(0, NR_VECTORS);
    expect(system.messages(0)).toEqual(events().map((event) => [0xffff_f040, event]));
    expectAllArrive(system, 0);
    expect(system.stopped(() => system.store(0, 0x809_0040, 0))).toMatchObject([untranslated(FIRST, 0x809_0040)]);
    close(system);
  });
});
