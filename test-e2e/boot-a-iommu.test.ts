// SPDX-License-Identifier: Apache-2.0
// Linux's machine with an ITS and an SMMUv3 again: groups, reserved regions, messages and the SMMU's structures in memory are
// what Linux had (boots/A, replay/A and replay/A-s2 of the shared data, and a part of them in fixtures/boot-a).

import { readFileSync } from 'node:fs';
import { physAddr } from '@irqkit/core';
import type { IommuGroup } from '@irqkit/core';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { pciHostGeneric } from '@irqkit/pci';
import { SmmuV3Model, VIRT_STAGE2_SILICON, smmuV3 } from '@irqkit/smmu-v3';
import { describeWithShared } from '@irqkit-test/env';
import { BootA, commandsOf, fixtureFiles, hex, sharedFiles } from './support/boot-a.js';
import type { BootFacts, BootFiles } from './support/boot-a.js';
import { readJsonLines } from './support/fixtures.js';

const PLUGINS = [pciHostGeneric, gicV3Its, gicV3, smmuV3];
const SMMU = '/smmuv3@9050000';
const GITS_TRANSLATER = '0x8090040';

interface RecordedGroup {
  readonly group: number;
  readonly type: string;
  readonly devices: readonly string[];
  readonly reserved_regions: readonly { readonly start: string; readonly end: string; readonly type: string }[];
}

const recordedGroups = (files: BootFiles): readonly RecordedGroup[] =>
  readJsonLines<RecordedGroup>(files.boot('iommu_groups.jsonl'));

/** Devices in the order in which Linux's drivers took them. */
const inDriverOrder = (files: BootFiles): readonly string[] =>
  [...readFileSync(files.boot('dmesg.txt'), 'utf8').matchAll(/(\S+): Adding to iommu group/g)].map(([, name]) => name);

const groupFacts = ({ host }: BootA, group: IommuGroup): RecordedGroup => ({
  group: group.id,
  type: host.iommus.domainOf(group).type.toUpperCase(),
  devices: group.devices.map(({ name }) => name).sort(),
  reserved_regions: host.iommus.resvRegions(group).map(({ base, sizeBytes, type }) => ({
    start: hex(base, 16),
    end: hex(base + sizeBytes - 1, 16),
    // sysfs does not tell the two apart. @linux iommu_group_resv_type_string
    type: type === 'sw-msi' ? 'msi' : type,
  })),
});

function isWhatLinuxHad(filesOf: () => BootFiles): void {
  let files: BootFiles;
  beforeAll(() => (files = filesOf()));

  const withBoot = (facts: Omit<BootFacts, 'plugins' | 'files'>, work: (boot: BootA) => void): void => {
    const boot = new BootA({ files, plugins: PLUGINS, ...facts });
    try {
      work(boot);
    } finally {
      boot.close();
    }
  };

  test('the same groups, with the same numbers and reserved regions, in the order of the drivers', () => {
    withBoot({}, (boot) => {
      const names = inDriverOrder(files);
      expect(names).toHaveLength(9);
      for (const name of names) boot.device(name).enable();
      const wanted = recordedGroups(files).map(({ group, type, devices, reserved_regions }) => ({
        group,
        type,
        devices,
        reserved_regions,
      }));
      expect(wanted).toHaveLength(7);
      expect(boot.host.iommus.groups.map((group) => groupFacts(boot, group))).toEqual(wanted);
    });
  });

  test('R14: the same MSI messages: 0xfffff040 in DMA domains, at every entry of every table', () => {
    withBoot({}, (boot) => {
      boot.replay(commandsOf(files, 'A'));
      expect(programmedTables(boot)).toEqual(recordedTables(boot));
      expect(new Set(recordedTables(boot).flatMap(([, table]) => table.map(({ addr }) => addr)))).toEqual(
        new Set(['0xfffff040', '0x0']),
      );
      const bridge = boot.device('0000:00:07.0');
      const { off, addr } = boot.recordOf(bridge).msi!;
      expect([addr, hex(bridge.readConfig(off + 4, 4))]).toEqual(['0xfffff040', '0xfffff040']);
      expect(boot.board.log.entries).toEqual([]);
    });
  });

  test('R13: with passthrough the messages have the physical address, and the reserved regions stay', () => {
    withBoot({ iommu: { passthrough: true } }, (boot) => {
      boot.replay(commandsOf(files, 'A'));
      const physical = recordedTables(boot).map(([name, table]) => [
        name,
        table.map((entry) => (entry.addr === '0xfffff040' ? { ...entry, addr: GITS_TRANSLATER } : entry)),
      ]);
      expect(programmedTables(boot)).toEqual(physical);
      for (const group of boot.host.iommus.groups) {
        expect(boot.host.iommus.domainOf(group).type).toBe('identity');
        expect(groupFacts(boot, group).reserved_regions).toEqual(recordedGroups(files)[0].reserved_regions);
      }
    });
  });

  test.each([
    ['stage 1, as in A', 'A', undefined, 10],
    ['stage 2 alone, as in A-s2', 'A-s2', VIRT_STAGE2_SILICON, 10],
  ])('stream table entries and context descriptors: %s', (_, capture, profile, nrTranslated) => {
    withBoot(profile ? { silicon: { [SMMU]: profile } } : {}, (boot) => {
      const recorded = recordedStreams(files, capture);
      for (const name of inDriverOrder(files)) boot.device(name).enable();
      const model = boot.board.models.get(SMMU) as SmmuV3Model;
      const own = [...recorded.keys()].map((sid): [number, Stream] => [sid, streamOf(boot, model, sid)]);
      const translated = [...recorded.values()].filter(({ ste }) => (ste[0] & 0xen) !== 0n && (ste[0] & 0xen) !== 0x8n);
      expect(translated).toHaveLength(nrTranslated);
      expect(own.map(([sid, stream]) => [sid, comparable(stream)])).toEqual(
        [...recorded].map(([sid, stream]) => [sid, comparable(stream)]),
      );
    });
  });
}

describe('boot A behind its SMMUv3, as it comes with the repository', () => isWhatLinuxHad(fixtureFiles));

describeWithShared('boot A of the shared data behind its SMMUv3', () => isWhatLinuxHad(() => sharedFiles));

type Table = readonly { readonly addr: string; readonly data: string; readonly ctrl: string }[];

const usesMsix = (boot: BootA, name: string): boolean =>
  Object.values(boot.records.find(({ bdf }) => bdf === name)!.msi_irqs).includes('msix');

function recordedTables(boot: BootA): [string, Table][] {
  return boot.records
    .filter(({ bdf, msix }) => msix && usesMsix(boot, bdf))
    .map(({ bdf, msix }) => [bdf, msix!.table.map(({ addr, data, ctrl }) => ({ addr, data, ctrl }))]);
}

function programmedTables(boot: BootA): [string, Table][] {
  return recordedTables(boot).map(([name]) => [name, boot.readTable(boot.device(name))]);
}

interface Stream {
  readonly ste: readonly bigint[];
  readonly cd?: readonly bigint[];
}

/** Every entry that is in the capture's snapshot, by StreamID. */
function recordedStreams(files: BootFiles, capture: string): ReadonlyMap<number, Stream> {
  const entries = JSON.parse(readFileSync(files.capture(capture, 'smmu-tables.json'), 'utf8')) as readonly {
    readonly sid: string;
    readonly dwords: readonly string[];
    readonly cd_dwords?: readonly string[];
  }[];
  return new Map(
    entries.map(({ sid, dwords, cd_dwords }) => [
      Number(sid),
      { ste: dwords.map(BigInt), ...(cd_dwords && { cd: cd_dwords.map(BigInt) }) },
    ]),
  );
}

function streamOf({ board }: BootA, model: SmmuV3Model, sid: number): Stream {
  const doublewords = (pa: number): readonly bigint[] => {
    const bytes = new Uint8Array(64);
    board.ram.load(physAddr(pa), bytes);
    return [...new BigUint64Array(bytes.buffer)];
  };
  const ste = doublewords(model.locateSte(sid)!);
  const hasContext = (ste[0] & 0xen) === 0xan;
  return { ste, ...(hasContext && { cd: doublewords(model.locateCd(sid)!) }) };
}

/**
 * Without S1ContextPtr, S2VMID and S2TTB of the entry and TTB0 and ASID of the descriptor. SHCFG [109:108] is
 * left out where there is no stage 1: Linux 6.1 sets it in abort entries and leaves it for stage 2, the 6.12 of A-s2 does not.
 */
function comparable({ ste, cd }: Stream): readonly string[] {
  const hexOf = (value: bigint): string => `0x${value.toString(16)}`;
  const masked = [
    ste[0] & ~0xf_ffff_ffff_ffc0n,
    cd ? ste[1] : ste[1] & ~(0x3n << 44n),
    ste[2] & ~0xffffn,
    ste[3] & ~0xf_ffff_ffff_fff0n,
    ...ste.slice(4),
  ];
  const context = cd ? [cd[0] & ~(0xffffn << 48n), cd[1] & ~0xf_ffff_ffff_fff0n, ...cd.slice(2)] : [];
  return [...masked, ...context].map(hexOf);
}
