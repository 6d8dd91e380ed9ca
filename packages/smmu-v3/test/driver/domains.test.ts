// SPDX-License-Identifier: Apache-2.0
// Domains of one SMMU: what their streams lead to, what mapping and unmapping issue, and what is left when a step fails.

import { seed, runs } from '@irqkit-test/env';
import { IOMMU_PROT, LinuxError } from '@irqkit/core';
import type { Device, IommuDomainOps, IommuOps, Iova, PhysAddr } from '@irqkit/core';
import fc from 'fast-check';
import { caught } from '@irqkit-test/caught';
import { OPCODE, STAGE2_IDR } from './fake-smmu.js';
import type { Verdict } from './fake-smmu.js';
import { Rig, TestGather, testDevice, unmap } from './rig.js';

const { READ, WRITE, CACHE } = IOMMU_PROT;
const PAGE = 0x1000;
const BLOCK = 0x20_0000;
const SYNC = 'fc02046:0';
const ABORT = [0x1n, 0x1000_0000_0000n, 0n, 0n];
/** IDR3 without RIL. */
const NO_RANGES = { 0x0c: 0 };

function map(domain: IommuDomainOps, iova: number, pageBytes: number, count: number): void {
  domain.mapPages(iova as Iova, (0x8000_0000 + iova) as PhysAddr, pageBytes, count, READ | WRITE | CACHE);
}

describe('devices', () => {
  test('EINVAL for a StreamID that another device has; the first goes on having it', () => {
    const { rig, ops } = up();
    const first = rig.device(ops, 'first', 0x208, 0x200);
    const second = testDevice('second');
    expect(caught(() => ops.probeDevice(second, rig.ids(0x210, 0x200))).message).toBe(
      '/smmuv3@9050000: StreamID 0x200 of second is that of first (EINVAL)',
    );
    ops.allocDomain('identity').attach(first);
    expect(rig.smmu.ste(0x200)?.[0]).toBe(0x9n);
    // Nothing of the second was taken.
    rig.device(ops, 'third', 0x210);
    ops.releaseDevice(first);
    expect(rig.smmu.ste(0x200)?.slice(0, 4)).toEqual(ABORT);
    rig.device(ops, 'fourth', 0x200);
  });

  test('a StreamID twice in one device is one', () => {
    const { rig, ops } = up();
    const from = rig.smmu.commands.length;
    ops.allocDomain('identity').attach(rig.device(ops, 'bridged', 0x200, 0x200));
    expect(rig.commandsSince(from)).toEqual(['20000000003:1', SYNC]);
  });

  test('EBUSY for one that is there, ENODEV for one that is not', () => {
    const { rig, ops } = up();
    const device = rig.device(ops, 'device', 1);
    expect(caught(() => ops.probeDevice(device, rig.ids(2))).code).toBe('EBUSY');
    expect(caught(() => ops.allocDomain('dma').attach(testDevice('stranger'))).message).toBe(
      '/smmuv3@9050000: stranger is not behind it (ENODEV)',
    );
    ops.releaseDevice(testDevice('stranger'));
  });

  test('level 2 tables come with the first device of 256 StreamIDs, aborting; all or none', () => {
    const { rig, ops } = up();
    const before = rig.memory.liveBytes;
    expect(rig.smmu.ste(0)).toBeUndefined();
    rig.device(ops, 'one', 0x10, 0x1ff);
    expect(rig.memory.liveBytes - before).toBe(2 * 0x4000);
    for (const sid of [0x00, 0x10, 0xff, 0x100, 0x1ff]) expect(rig.smmu.ste(sid)?.slice(0, 4)).toEqual(ABORT);
    rig.device(ops, 'two', 0x11);
    expect(rig.memory.liveBytes - before).toBe(2 * 0x4000);
    rig.memory.left = 1;
    expect(caught(() => rig.device(ops, 'three', 0x300, 0x400)).message).toBe(
      '/smmuv3@9050000: no memory for the level 2 stream table of StreamID 0x400 (ENOMEM)',
    );
    expect(rig.memory.liveBytes - before).toBe(2 * 0x4000);
    expect(rig.smmu.ste(0x300)).toBeUndefined();
    expect(caught(() => rig.device(ops, 'four', 0x12, 0x1_0000)).code).toBe('ERANGE');
    rig.memory.left = Infinity;
    rig.device(ops, 'five', 0x12, 0x300, 0x400);
  });
});

describe('what streams lead to', () => {
  test('identity bypasses; blocked, and letting go, abort', () => {
    const { rig, ops } = up();
    const device = rig.device(ops, 'device', 8);
    const [identity, blocked] = [ops.allocDomain('identity'), ops.allocDomain('blocked')];
    identity.attach(device);
    expect(rig.smmu.ste(8)?.slice(0, 4)).toEqual([0x9n, 0x1000_0000_0000n, 0n, 0n]);
    blocked.attach(device);
    expect(rig.smmu.ste(8)?.slice(0, 4)).toEqual(ABORT);
    const from = rig.smmu.commands.length;
    blocked.attach(device);
    expect(rig.smmu.commands).toHaveLength(from);
    identity.attach(device);
    ops.releaseDevice(device);
    expect(rig.smmu.ste(8)?.slice(0, 4)).toEqual(ABORT);
    expect(rig.commandsSince(from)).toEqual(['800000003:1', SYNC, '800000003:1', SYNC]);
    expect([identity.pageSizes, blocked.pageSizes]).toEqual([[], []]);
    expect(identity.iovaToPhys(0x1234 as Iova)).toBe(0x1234);
    expect(blocked.iovaToPhys(0x1234 as Iova)).toBeUndefined();
    expect(caught(() => map(identity, 0, PAGE, 1)).code).toBe('ENODEV');
    expect(unmap(blocked, 0, PAGE, 1)).toBe(0);
    identity.flushIotlbAll();
    identity.free();
    expect(rig.smmu.commands).toHaveLength(from + 4);
  });

  test('doubleword 0 comes last, between two invalidations of the entry', () => {
    const { rig, ops } = up();
    ops.allocDomain('dma').attach(rig.device(ops, 'device', 8));
    const [before, after] = rig.smmu.commands.filter(({ opcode }) => opcode === OPCODE.CFGI_STE);
    expect(before.ste).toEqual([0x1n, 0xd6n, 0n, 0n]);
    const [first, second] = rig.smmu.ste(8) ?? [];
    expect(after.ste).toEqual([first, second, 0n, 0n]);
    // Valid, stage 1
    expect([first & 0xffn, second]).toEqual([0xbn, 0xd6n]);
  });

  test('stage 1 where there are both', () => {
    const { rig, ops } = up({ 0: 0xd44_101b });
    ops.allocDomain('dma').attach(rig.device(ops, 'device', 8));
    expect((rig.smmu.ste(8)?.[0] ?? 0n) & 0xfn).toBe(0xbn);
  });

  test('stage 2 has its VMID and leaves what an aborting entry had', () => {
    const { rig, ops } = up(STAGE2_IDR);
    const domain = ops.allocDomain('unmanaged');
    domain.attach(rig.device(ops, 'device', 8));
    const [one, two, three, four] = rig.smmu.ste(8) ?? [];
    expect([one, two, three]).toEqual([0xdn, 0x1000_0000_0000n, 0x044c_3594_0000_0001n]);
    expect(four).toBeGreaterThan(0n);
    expect(domain.aperture).toEqual({ first: 0, last: 2 ** 44 - 1 });
  });

  test('contexts that may stall are told not to; where all stall, they say so', () => {
    const may = up({ 0: 0xc40_101a });
    may.ops.allocDomain('dma').attach(may.rig.device(may.ops, 'device', 8));
    expect(may.rig.smmu.ste(8)?.[1]).toBe(0x800_00d6n);
    const must = up({ 0: 0xe40_101a });
    must.ops.allocDomain('dma').attach(must.rig.device(must.ops, 'device', 8));
    expect((must.rig.smmu.cd(8)[0] >> 44n) & 1n).toBe(1n);
    expect(must.rig.smmu.ste(8)?.[1]).toBe(0xd6n);
  });

  test('sizes of pages and addresses: 4 KiB where there is a choice', () => {
    const { ops } = up();
    const domain = ops.allocDomain('dma');
    expect(domain.pageSizes).toEqual([PAGE, BLOCK, 2 ** 30]);
    expect(domain.aperture).toEqual({ first: 0, last: 2 ** 48 - 1 });
    expect(up({ 0x14: 0x64 }).ops.allocDomain('dma').pageSizes).toEqual([2 ** 14, 2 ** 25]);
  });
});

describe('ASIDs and VMIDs', () => {
  test('from 1, the lowest that is free; ENOSPC after 255', () => {
    const { rig, ops } = up({ 0: 0xd40_001a });
    const before = rig.memory.liveBytes;
    const domains = Array.from({ length: 255 }, () => ops.allocDomain('dma'));
    const full = rig.memory.liveBytes;
    expect(caught(() => ops.allocDomain('dma')).message).toBe('/smmuv3@9050000: all ASIDs are taken (ENOSPC)');
    expect(rig.memory.liveBytes).toBe(full);
    domains[41].free();
    const again = ops.allocDomain('dma');
    const device = rig.device(ops, 'device', 8);
    again.attach(device);
    expect(rig.smmu.cd(8)[0] >> 48n).toBe(42n);
    ops.releaseDevice(device);
    for (const domain of [...domains.filter((_, n) => n !== 41), again]) domain.free();
    // The level 2 stream table stays.
    expect(rig.memory.liveBytes - before).toBe(0x4000);
  });

  test('VMIDs likewise', () => {
    const { ops } = up({ ...STAGE2_IDR, 0: 0xd40_1019 });
    for (let n = 0; n < 255; n++) ops.allocDomain('dma');
    expect(caught(() => ops.allocDomain('dma')).message).toBe('/smmuv3@9050000: all VMIDs are taken (ENOSPC)');
  });
});

describe('invalidation', () => {
  test('strict: what was unmapped, once, when the framework syncs', () => {
    const { rig, domain } = attached();
    map(domain, 0x10_0000, PAGE, 5);
    const from = rig.smmu.commands.length;
    expect(unmap(domain, 0x10_0000, PAGE, 5)).toBe(5 * PAGE);
    // 5 pages; their table, and those above it, went: 2^27 pages and no level, then the pages at level 3
    expect(rig.commandsSince(from).slice(-2)).toEqual(['1000000004012:100701', SYNC]);
    expect(rig.smmu.commands[rig.smmu.commands.length - 1].opcode).toBe(OPCODE.SYNC);
  });

  test('lazy: nothing by address; all by ASID', () => {
    const { rig, domain } = attached();
    map(domain, 0x10_0000, PAGE, 5);
    map(domain, 0x10_5000, PAGE, 1);
    const from = rig.smmu.commands.length;
    const gather = new TestGather(true);
    domain.unmapPages(0x10_0000 as Iova, PAGE, 5, gather);
    domain.iotlbSync(gather);
    expect(rig.commandsSince(from)).toEqual([]);
    domain.flushIotlbAll();
    expect(rig.commandsSince(from)).toEqual(['1000000000011:0', SYNC]);
  });

  test('a gather that does not take what comes next is synced first', () => {
    const { rig, domain } = attached();
    map(domain, 0x10_0000, PAGE, 1);
    map(domain, 0x10_2000, PAGE, 2);
    const from = rig.smmu.commands.length;
    const gather = new TestGather();
    domain.unmapPages(0x10_0000 as Iova, PAGE, 1, gather);
    domain.unmapPages(0x10_2000 as Iova, PAGE, 1, gather);
    expect(rig.commandsSince(from)).toEqual(['1000000000012:100701', SYNC]);
    domain.iotlbSync(gather);
    expect(rig.commandsSince(from)).toEqual(['1000000000012:100701', SYNC, '1000000000012:102701', SYNC]);
  });

  test('without ranges, a command for each page, 64 at a time and one SYNC', () => {
    const { rig, domain } = attached(NO_RANGES);
    map(domain, 0x10_0000, PAGE, 131);
    const from = rig.smmu.commands.length;
    const writes = rig.smmu.trace.length;
    expect(unmap(domain, 0x10_0000, PAGE, 130)).toBe(130 * PAGE);
    const commands = rig.commandsSince(from);
    expect(commands).toHaveLength(131);
    expect([commands[0], commands[129], commands[130]]).toEqual(['1000000000012:100001', '1000000000012:181001', SYNC]);
    const told = rig.smmu.trace.slice(writes).filter(({ offset, op }) => op === 'w' && offset === 0x98);
    expect(told.map(({ value }, n) => value - (told[n - 1]?.value ?? BigInt(from)))).toEqual([64n, 64n, 3n]);
  });

  test('without ranges, more pages than a table has: all of the ASID', () => {
    const { rig, domain } = attached(NO_RANGES);
    map(domain, BLOCK, PAGE, 1024);
    map(domain, 0, PAGE, 1);
    const from = rig.smmu.commands.length;
    const gather = new TestGather();
    gather.add(BLOCK as Iova, 513 * PAGE, PAGE);
    domain.iotlbSync(gather);
    expect(rig.commandsSince(from)).toEqual(['1000000000011:0', SYNC]);
  });

  test('MMU-700: no more than 63 commands without a SYNC', () => {
    const { rig, domain } = attached({ ...NO_RANGES, 0x18: 0x4870_043b });
    map(domain, 0x10_0000, PAGE, 131);
    const from = rig.smmu.commands.length;
    unmap(domain, 0x10_0000, PAGE, 130);
    const syncs = rig.smmu.commands.slice(from).flatMap(({ opcode }, n) => (opcode === OPCODE.SYNC ? [n] : []));
    expect(syncs).toEqual([63, 127, 132]);
  });

  test('a block of 2 MiB is of level 2; a part of one names no level', () => {
    const { rig, domain } = attached();
    map(domain, BLOCK, BLOCK, 3);
    const from = rig.smmu.commands.length;
    unmap(domain, BLOCK, BLOCK, 1);
    // 512 pages: SCALE 9, NUM 0
    expect(rig.commandsSince(from)).toEqual(['1000000900012:200601', SYNC]);
    const split = rig.smmu.commands.length;
    expect(unmap(domain, 2 * BLOCK + 4 * PAGE, PAGE, 1)).toBe(PAGE);
    // One page without a level is reserved: two are
    expect(rig.commandsSince(split).slice(-2)).toEqual(['1000000100012:404401', SYNC]);
    expect(domain.iovaToPhys((2 * BLOCK + 3 * PAGE) as Iova)).toBe(0x8040_3000);
    expect(domain.iovaToPhys((2 * BLOCK + 4 * PAGE) as Iova)).toBeUndefined();
  });

  test('pages that are found where a block was to be unmapped: each is invalidated', () => {
    const { rig, domain } = attached(NO_RANGES);
    map(domain, BLOCK, PAGE, 3);
    map(domain, BLOCK + 4 * PAGE, PAGE, 1);
    const from = rig.smmu.commands.length;
    expect(unmap(domain, BLOCK, BLOCK, 1)).toBe(3 * PAGE);
    expect(rig.commandsSince(from)).toEqual(
      [0x20_0001, 0x20_1001, 0x20_2001].map((hi) => `1000000000012:${hi.toString(16)}`).concat(SYNC),
    );
  });

  test('stage 2 by IPA and by VMID', () => {
    const { rig, domain } = attached(STAGE2_IDR);
    map(domain, 0x10_0000, PAGE, 2);
    const from = rig.smmu.commands.length;
    unmap(domain, 0x10_0000, PAGE, 1);
    domain.flushIotlbAll();
    expect(rig.commandsSince(from)).toEqual(['10000002a:100701', SYNC, '100000028:0', SYNC]);
  });

  test('nothing is issued before the first device: the SMMU knows nothing of the domain', () => {
    const { rig, ops } = up();
    const from = rig.smmu.commands.length;
    const domain = ops.allocDomain('unmanaged');
    map(domain, 0x10_0000, PAGE, 4);
    unmap(domain, 0x10_0000, PAGE, 4);
    domain.flushIotlbAll();
    domain.free();
    expect(rig.smmu.commands).toHaveLength(from);
  });

  test('a handler that runs in the middle and invalidates in the same domain: nothing is lost', () => {
    const { rig, driver, domain } = attached(NO_RANGES);
    map(domain, 0, PAGE, 512);
    let nested = 0;
    driver.onFault(() => void (nested = unmap(domain, 0x1f_0000, PAGE, 3)));
    const from = rig.smmu.commands.length;
    const write = rig.smmu.write.bind(rig.smmu);
    let nrWrites = 0;
    // At the end of an access, as a bus delivers interrupts: the first 64 commands are told of, the rest is not.
    rig.smmu.write = (offset, value, size) => {
      write(offset, value, size);
      if (offset === 0x98 && ++nrWrites === 1) rig.smmu.record(0x8_0000_0010n);
    };
    expect(unmap(domain, PAGE, PAGE, 200)).toBe(200 * PAGE);
    expect(nested).toBe(3 * PAGE);
    const pages = rig.smmu.commands.slice(from).filter(({ opcode }) => opcode === OPCODE.TLBI_NH_VA);
    const wanted = [...Array.from({ length: 200 }, (_, n) => n + 1), 0x1f0, 0x1f1, 0x1f2];
    expect(pages.map(({ hi }) => Number(hi >> 12n)).sort((a, b) => a - b)).toEqual(wanted);
  });

  test('any range of any size is covered exactly, by few commands', () => {
    const { rig, domain } = attached();
    const pages = fc.oneof(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: 1, max: 2 ** 34 }));
    fc.assert(
      fc.property(pages, fc.integer({ min: 0, max: 2 ** 35 }), (nrPages, firstPage) => {
        const from = rig.smmu.commands.length;
        const gather = new TestGather();
        gather.add((firstPage * PAGE) as Iova, nrPages * PAGE, PAGE);
        domain.iotlbSync(gather);
        const commands = rig.smmu.commands.slice(from, -1);
        let next = BigInt(firstPage);
        for (const { lo, hi } of commands) {
          expect(hi >> 12n).toBe(next);
          next += (((lo >> 12n) & 0x1fn) + 1n) << ((lo >> 20n) & 0x3fn);
        }
        expect(next).toBe(BigInt(firstPage + nrPages));
        // Five bits of the size each
        expect(commands.length).toBeLessThanOrEqual(7);
      }),
      { seed, numRuns: runs(200, 20_000) },
    );
  });
});

describe('a step that fails', () => {
  interface Machine {
    readonly rig: Rig;
    readonly ops: IommuOps;
    readonly device: Device;
    readonly from: IommuDomainOps;
    readonly to: IommuDomainOps;
  }

  const kinds = ['dma', 'identity', 'blocked'] as const;
  const moves = kinds.flatMap((from) => kinds.map((to) => [from, to] as const));

  function machine(from: (typeof kinds)[number], to: (typeof kinds)[number], idr = {}): Machine {
    const { rig, ops } = up(idr);
    const device = rig.device(ops, 'device', 8, 0x108);
    const domains = { from: ops.allocDomain(from), to: ops.allocDomain(to) };
    domains.from.attach(device);
    rig.smmu.tracing = false;
    return { rig, ops, device, ...domains };
  }

  const state = ({ rig }: Machine): unknown => [
    rig.smmu.ste(8)?.slice(0, 2),
    rig.smmu.ste(0x108)?.slice(0, 2),
    rig.memory.liveBytes,
    rig.nrIrqs,
  ];

  function failEach(make: () => Machine, verdict: Verdict, code: 'EIO' | 'ETIMEDOUT'): number {
    for (let k = 0; ; k++) {
      const each = make();
      const { rig, to, device, ops } = each;
      const before = state(each);
      let left = k;
      let failed = false;
      rig.smmu.verdict = () => (left-- === 0 ? verdict : 'take');
      try {
        to.attach(device);
        // A SYNC or a prefetch that is refused harms nobody.
        failed = left < 0 && verdict === 'refuse';
      } catch (error) {
        failed = true;
        expect(LinuxError.is(error, code)).toBe(true);
        expect(state(each)).toEqual(before);
        expect((error as Error).message).toMatch(/^\/smmuv3@9050000: CMD_\w+.* in slot \d+: /);
      }
      rig.smmu.wake();
      if (!failed) return k;
      // Then it works, and nothing is left.
      to.attach(device);
      ops.releaseDevice(device);
      each.from.free();
      to.free();
      rig.devres.releaseAll();
      expect(rig.memory.live).toEqual([]);
    }
  }

  test.each(moves)('from %s to %s: the k-th command hangs; the device stays where it was', (from, to) => {
    // Two SYNCs for the context; for each StreamID two invalidations with theirs and a prefetch, of which the last may hang.
    const nr = { dma: 4, identity: 4, blocked: 0 }[from] + { dma: 2 + 5 + 4, identity: 4, blocked: 0 }[to];
    expect(failEach(() => machine(from, to), 'hang', 'ETIMEDOUT')).toBe(nr);
  });

  test.each(moves)('from %s to %s: the k-th command is refused; the device stays where it was', (from, to) => {
    const nr = { dma: 4, identity: 4, blocked: 0 }[from] + { dma: 2 + 5 + 5, identity: 4, blocked: 0 }[to];
    expect(failEach(() => machine(from, to), 'refuse', 'EIO')).toBe(nr);
  });

  test('stage 2: the k-th command hangs', () => {
    expect(failEach(() => machine('dma', 'dma', STAGE2_IDR), 'hang', 'ETIMEDOUT')).toBe(4 + 5 + 4);
  });

  test('the k-th allocation of a domain: as before', () => {
    let nr = 0;
    for (let done = false; !done; nr++) {
      const { rig, ops } = up();
      const before = rig.memory.liveBytes;
      rig.memory.left = nr;
      try {
        const domain = ops.allocDomain('dma');
        map(domain, 0x10_0000, PAGE, 1);
        done = true;
      } catch (error) {
        expect(LinuxError.is(error, 'ENOMEM') && error.message).toMatch(/^\/smmuv3@9050000: no memory for /);
        if (nr < 2) expect(rig.memory.liveBytes).toBe(before);
        rig.memory.left = Infinity;
        ops.allocDomain('dma').attach(rig.device(ops, 'device', 8));
        if (nr < 2) expect(rig.smmu.cd(8)[0] >> 48n).toBe(1n);
      }
      rig.devres.releaseAll();
      expect(rig.memory.live).toEqual([]);
    }
    // the first table, the context descriptor, the tables below
    expect(nr - 1).toBe(3);
  });

  test('an invalidation that hangs is warned of; tables and id wait for the SMMU when the domain is freed', () => {
    const { rig, ops, domain, device } = attached();
    map(domain, 0x10_0000, PAGE, 2);
    const full = rig.memory.liveBytes;
    ops.allocDomain('blocked').attach(device);
    rig.smmu.verdict = () => 'hang';
    expect(unmap(domain, 0x10_0000, PAGE, 1)).toBe(PAGE);
    expect(rig.warnings[0]).toMatch(
      /^\/smmuv3@9050000: CMD_TLBI_NH_VA ASID=0x1 Leaf=0x1 TTL=0x3 TG=0x1 Address=0x100000 in slot \d+: no progress in 100000 polls \(ETIMEDOUT\)$/,
    );
    domain.free();
    expect(rig.memory.liveBytes).toBe(full);
    const second = ops.allocDomain('dma');
    rig.smmu.wake();
    second.attach(device);
    expect(rig.smmu.cd(8)[0] >> 48n).toBe(2n);
    // It has caught up: the first one's are given out again.
    const third = ops.allocDomain('dma');
    third.attach(device);
    expect(rig.smmu.cd(8)[0] >> 48n).toBe(1n);
  });

  test('an ASID that the SMMU refuses to forget is not given out again', () => {
    const { rig, ops, domain, device } = attached();
    ops.allocDomain('blocked').attach(device);
    const before = rig.memory.liveBytes;
    rig.smmu.verdict = ({ opcode }) => (opcode === OPCODE.TLBI_NH_ASID ? 'refuse' : 'take');
    domain.free();
    expect(rig.warnings[rig.warnings.length - 1]).toBe('/smmuv3@9050000: ASID 1 is not used again');
    expect(rig.memory.liveBytes).toBeLessThan(before);
    rig.smmu.verdict = () => 'take';
    ops.allocDomain('dma').attach(device);
    expect(rig.smmu.cd(8)[0] >> 48n).toBe(2n);
  });

  test('releasing a device from an SMMU that hangs: a warning, and the entry aborts', () => {
    const { rig, ops, device } = attached();
    rig.smmu.verdict = () => 'hang';
    ops.releaseDevice(device);
    expect(rig.smmu.ste(8)?.slice(0, 3)).toEqual(ABORT.slice(0, 3));
    expect(rig.warnings).toHaveLength(1);
    expect(rig.warnings[0]).toMatch(/^\/smmuv3@9050000: CMD_CFGI_STE StreamID=0x8 Leaf=0x1 in slot \d+: no progress/);
  });
});

function up(idr: Readonly<Record<number, number>> = {}) {
  const rig = new Rig({ idr });
  return { rig, ...rig.start() };
}

/** A DMA domain with one device, of StreamID 8. */
function attached(idr: Readonly<Record<number, number>> = {}) {
  const { rig, driver, ops } = up(idr);
  const device = rig.device(ops, 'device', 8);
  const domain = ops.allocDomain('dma');
  domain.attach(device);
  return { rig, driver, ops, device, domain };
}
