// SPDX-License-Identifier: Apache-2.0
// The driver beside the real one: given what recorded Linux boots did, in Linux's order, it does what Linux did.

import { describeWithShared } from '@irqkit-test/env';
import { IOMMU_PROT } from '@irqkit/core';
import type { Device, IommuDomainOps, Iova, PhysAddr } from '@irqkit/core';
import { capturedAccesses, capturedBatches, capturedEntries } from './capture.js';
import type { Access } from './fake-smmu.js';
import { STAGE2_IDR } from './fake-smmu.js';
import { Rig, TestGather } from './rig.js';

const { READ, WRITE } = IOMMU_PROT;
/** What depends on where memory was found, by offset. */
const ADDRESSES: Readonly<Record<number, bigint>> = {
  0x80: 0xf_ffff_ffff_ffc0n,
  0x90: 0xf_ffff_ffff_ffe0n,
  0xa0: 0xf_ffff_ffff_ffe0n,
};

function shown({ op, offset, size, value }: Access): string {
  return `${op}${size} 0x${offset.toString(16)} = 0x${(value & ~(ADDRESSES[offset] ?? 0n)).toString(16)}`;
}

const SYNC = 'fc02046:0';
/** CFGI_STE and PREFETCH_CONFIG of a StreamID. */
const cfgi = (sid: number): string => `${sid.toString(16)}00000003:1`;
const prefetch = (sid: number): string => `${sid.toString(16)}00000001:0`;
const flushAsid = (asid: number): string => `${asid.toString(16)}000000000011:0`;
const flushVmid = (vmid: number): string => `${vmid.toString(16)}00000028:0`;
/** What a SYNC alone, and one after a command, look like. */
const alone = [SYNC];
const settled = (command: string): readonly string[] => [command, SYNC];
const translate = (sid: number): readonly (readonly string[])[] => [
  settled(cfgi(sid)),
  settled(cfgi(sid)),
  [prefetch(sid)],
];

/** Batches of the driver as the fake saw them: what each write of CMDQ_PROD made known. */
function batches(rig: Rig): readonly (readonly string[])[] {
  const commands = rig.commandsSince(0);
  let told = 0;
  return rig.smmu.trace
    .filter(({ op, offset }) => op === 'w' && offset === 0x98)
    .map(({ value }) => {
      const batch = commands.slice(told, Number(value));
      told = Number(value);
      return batch;
    });
}

describeWithShared('the driver and Linux 6.1, as recorded', () => {
  test.each(['A', 'A-vfio'])(
    '%s: probing makes the same accesses with the same values in the same order',
    (capture) => {
      const rig = new Rig();
      rig.start();
      const recorded = capturedAccesses(capture);
      // CR0 with SMMUEN is acknowledged last.
      const end = recorded.findIndex(({ offset, value }) => offset === 0x24 && value === 0xdn) + 1;
      expect(rig.smmu.trace.map(shown)).toEqual(recorded.slice(0, end).map(shown));
      expect(end).toBe(34);
    },
  );

  test('A-s2 (Linux 6.12, stage 2 alone): the same', () => {
    const rig = new Rig({ idr: STAGE2_IDR });
    rig.start();
    const recorded = capturedAccesses('A-s2');
    const end = recorded.findIndex(({ offset, value }) => offset === 0x24 && value === 0xdn) + 1;
    expect(rig.smmu.trace.map(shown)).toEqual(recorded.slice(0, end).map(shown));
  });

  test('A: the first device: what a DMA domain, its attaching and flushing it issue', () => {
    const rig = new Rig();
    const { ops } = rig.start();
    const domain = ops.allocDomain('dma');
    domain.attach(rig.device(ops, '0000:00:01.0', 8));
    domain.flushIotlbAll();
    const recorded = capturedBatches('A');
    expect(batches(rig)).toEqual(recorded.slice(0, 9));
    expect(recorded.slice(3, 9)).toEqual([alone, alone, ...translate(8), settled(flushAsid(1))]);
  });

  test('A: a second device of a domain, attached twice', () => {
    const rig = new Rig();
    const { ops } = rig.start();
    const domain = ops.allocDomain('dma');
    domain.attach(rig.device(ops, '0000:00:01.0', 8));
    const from = batches(rig).length;
    const second = rig.device(ops, '0000:01:00.0', 0x100);
    domain.attach(second);
    domain.attach(second);
    domain.flushIotlbAll();
    const recorded = capturedBatches('A');
    const at = recorded.findIndex(([first]) => first === cfgi(0x100));
    const expected = [...translate(0x100), settled(cfgi(0x100)), ...translate(0x100), settled(flushAsid(1))];
    expect(recorded.slice(at, at + expected.length)).toEqual(expected);
    expect(batches(rig).slice(from)).toEqual(expected);
  });

  test('A-vfio: a device of two StreamIDs, and one that moves between domains', () => {
    const rig = new Rig();
    const { ops } = rig.start();
    const [dma, first, second] = Array.from({ length: 3 }, () => ops.allocDomain('unmanaged'));
    dma.attach(rig.device(ops, '0000:00:07.0', 0x38));
    const recorded = capturedBatches('A-vfio');
    const issued = (work: () => void): readonly (readonly string[])[] => {
      const from = batches(rig).length;
      work();
      return batches(rig).slice(from);
    };
    const bridged = rig.device(ops, '0000:02:02.0', 0x210, 0x200);
    const twice = issued(() => {
      dma.attach(bridged);
      dma.attach(bridged);
    });
    const at = recorded.findIndex(([command]) => command === cfgi(0x210));
    expect(twice).toEqual(recorded.slice(at, at + twice.length));
    expect(twice).toHaveLength(14);

    const edu = rig.device(ops, '0000:00:06.0', 0x30);
    first.attach(edu);
    const moves = issued(() => {
      second.attach(edu);
    });
    const moved = recorded.findIndex(
      ([command], n) => command === cfgi(0x30) && recorded[n + 1][0] === SYNC && recorded[n + 2][0] === SYNC,
    );
    expect(moves).toEqual(recorded.slice(moved, moved + moves.length));
    expect(moves).toEqual([settled(cfgi(0x30)), alone, alone, ...translate(0x30)]);
  });

  test('A-s2: what attaching and flushing a domain of stage 2 issue', () => {
    const rig = new Rig({ idr: STAGE2_IDR });
    const { ops } = rig.start();
    const domain = ops.allocDomain('dma');
    domain.attach(rig.device(ops, '0000:00:01.0', 8));
    domain.flushIotlbAll();
    const recorded = capturedBatches('A-s2');
    // Linux 6.12 flushes before it attaches, 6.1 after; the first three batches are the probe's.
    expect(recorded.slice(3, 7)).toEqual([settled(flushVmid(1)), ...translate(8)]);
    expect(batches(rig).slice(3)).toEqual([...translate(8), settled(flushVmid(1))]);
  });

  test.each([
    ['A', 'strict'],
    ['A-s2', 'strict'],
    ['A-vfio', 'strict'],
  ])('%s: every invalidation by address, from its range', (capture) => {
    const stage2 = capture === 'A-s2';
    const opcode = stage2 ? 0x2an : 0x12n;
    const rig = new Rig({ idr: stage2 ? STAGE2_IDR : {} });
    rig.start();
    const domains: (IommuDomainOps | undefined)[] = [];
    // Two processors may have made theirs known by one write.
    const wanted = capturedBatches(capture)
      .flatMap((batch) => splitAtSync(batch))
      .filter(([first = '0:0']) => (BigInt(`0x${first.split(':')[0]}`) & 0xffn) === opcode);
    expect(wanted.length).toBeGreaterThan(100);
    for (const batch of wanted) {
      const ranges = batch.slice(0, -1).map((each) => decodeRange(each, stage2));
      const [{ id, address, pageBytes }] = ranges;
      const domain = (domains[id] ??= domainOf(rig, id, domains));
      const from = rig.smmu.commands.length;
      const gather = new TestGather();
      gather.add(
        address as Iova,
        ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        pageBytes,
      );
      domain.iotlbSync(gather);
      expect(rig.commandsSince(from)).toEqual(batch);
      expect(gather.pageBytes).toBe(0);
    }
  });

  test.each(['A', 'A-vfio'])(
    '%s: every stream table entry and context descriptor, but for addresses and ASIDs',
    (capture) => {
      const rig = new Rig();
      const { ops } = rig.start();
      const entries = capturedEntries(capture);
      const translated = entries.filter(({ config }) => config === 5);
      const domains = new Map<bigint, IommuDomainOps>();
      for (const { sid, ste } of translated) {
        const domain = domains.get(ste[0]) ?? ops.allocDomain('dma');
        domains.set(ste[0], domain);
        domain.attach(rig.device(ops, `device of ${sid}`, sid));
      }
      const pointer = 0xf_ffff_ffff_ffc0n;
      for (const { sid, config, ste, cd } of entries) {
        const own = rig.smmu.ste(sid) ?? [];
        const mask = config === 5 ? ~pointer : ~0n;
        expect([sid, own[0] & mask, ...own.slice(1)]).toEqual([sid, ste[0] & mask, ...ste.slice(1)]);
        if (!cd) continue;
        const withoutIds = ([first, ttb, ...rest]: readonly bigint[]) => [
          first & 0xffff_ffff_ffffn,
          ttb & ~0xf_ffff_ffff_fff0n,
          ...rest,
        ];
        expect(withoutIds(rig.smmu.cd(sid))).toEqual(withoutIds(cd));
      }
      expect(translated).toHaveLength(capture === 'A' ? 10 : 11);
      expect(domains.size).toBe(capture === 'A' ? 7 : 8);
    },
  );

  test('A-s2: every stream table entry, but for addresses, VMIDs and SHCFG', () => {
    const rig = new Rig({ idr: STAGE2_IDR });
    const { ops } = rig.start();
    const entries = capturedEntries('A-s2');
    const domains = new Map<bigint, IommuDomainOps>();
    for (const { sid, ste } of entries.filter(({ config }) => config === 6)) {
      const domain = domains.get(ste[2]) ?? ops.allocDomain('dma');
      domains.set(ste[2], domain);
      domain.attach(rig.device(ops, `device of ${sid}`, sid));
    }
    // Linux 6.12 leaves SHCFG 0 in entries that abort; 6.1 sets it, and leaves it when the entry comes to translate.
    const comparable = (ste: readonly bigint[]) => [
      ste[0],
      ste[1] & ~(3n << 44n),
      ste[2] & ~0xffffn,
      ste[3] & ~0xf_ffff_ffff_fff0n,
      ...ste.slice(4),
    ];
    for (const { sid, ste } of entries)
      expect([sid, comparable(rig.smmu.ste(sid) ?? [])]).toEqual([sid, comparable(ste)]);
    expect(domains.size).toBe(7);
  });

  test('A-vfio: each event is taken by the same accesses', () => {
    const rig = new Rig();
    rig.start();
    const recorded = capturedAccesses('A-vfio').filter(({ offset }) => offset === 0x1_00a8 || offset === 0x1_00ac);
    const from = rig.smmu.trace.length;
    for (let n = 0; n < 7; n++) rig.smmu.record(0x30_0000_0010n);
    // The first two are the reset's.
    expect(rig.smmu.trace.slice(from).map(shown)).toEqual(recorded.slice(2).map(shown));
    expect(rig.smmu.trace.length - from).toBe(21);
  });

  /** Domains take the lowest id that is free: those up to `id` are made. */
  function domainOf(rig: Rig, id: number, domains: (IommuDomainOps | undefined)[]): IommuDomainOps {
    const ops = rig.registered!;
    for (let n = 1; n <= id; n++) {
      if (domains[n]) continue;
      const device: Device = rig.device(ops, `device ${n}`, n);
      const domain = ops.allocDomain('unmanaged');
      domain.attach(device);
      domain.mapPages(0x1000 as Iova, 0x1000 as PhysAddr, 0x1000, 1, READ | WRITE);
      domains[n] = domain;
    }
    return domains[id]!;
  }
});

/** Cuts after each SYNC. */
function splitAtSync(batch: readonly string[]): readonly (readonly string[])[] {
  const end = batch.indexOf(SYNC) + 1;
  return end === 0 || end === batch.length ? [batch] : [batch.slice(0, end), ...splitAtSync(batch.slice(end))];
}

/** The range of a TLBI by IHI 0070, 4.4.1.1: (NUM + 1) * 2^SCALE granules of 4 KiB. */
function decodeRange(command: string, stage2: boolean) {
  const [lo, hi] = command.split(':').map((each) => BigInt(`0x${each}`));
  const num = Number((lo >> 12n) & 0x1fn);
  const scale = Number((lo >> 20n) & 0x1fn);
  const level = Number((hi >> 8n) & 3n);
  return {
    id: Number(stage2 ? (lo >> 32n) & 0xffffn : lo >> 48n),
    address: Number(hi & 0xf_ffff_ffff_f000n),
    sizeBytes: (num + 1) * 2 ** scale * 0x1000,
    pageBytes: level === 2 ? 0x20_0000 : 0x1000,
  };
}
