// SPDX-License-Identifier: Apache-2.0
// Probing and letting go of an ITS. Register values are written out from IHI 0069's bit tables.

import { LinuxError } from '@irqkit/core';
import type { Host } from '@irqkit/core';
import { caught } from '@irqkit-test/caught';
import { QEMU_BASERS, QEMU_TYPER } from './fake-its.js';
import { Rig } from './rig.js';
import type { RigOptions } from './rig.js';

const ADDRESS = 0xf_ffff_ffff_f000n;
/** GITS_BASER<n> has address bits [47:12] only. */
const TABLE_ADDRESS = 0xffff_ffff_f000n;

/** Probes a machine that must not come up. */
function refusal(options: RigOptions, prepare: (rig: Rig) => void = () => undefined): string {
  const rig = new Rig(options);
  prepare(rig);
  const { message } = caught(() => rig.start());
  expect(rig.memory.live).toEqual([]);
  expect(rig.nrHotplugListeners).toBe(0);
  return message;
}

function writes(rig: Rig, frame: string, offset: number): readonly bigint[] {
  return rig.trace
    .filter((each) => each.op === 'w' && each.frame === frame && each.offset === offset)
    .map((e) => e.value);
}

describe('tables and queue', () => {
  test('Valid, type, entry size, 64 KiB pages, inner shareable, write-back; two levels for devices', () => {
    const rig = new Rig();
    rig.start();
    const [its] = rig.its;
    expect(its.basers[0] & ~TABLE_ADDRESS).toBe(0xf907_0000_0000_0600n);
    expect(its.basers[1] & ~TABLE_ADDRESS).toBe(0xbc07_0000_0000_0600n);
    expect(its.basers.slice(2)).toEqual([0n, 0n, 0n, 0n, 0n, 0n]);
    expect(its.cbaser & ~ADDRESS).toBe(0xb800_0000_0000_040fn);
    for (const base of [its.basers[0], its.basers[1], its.cbaser]) expect(base & 0xf000n).toBe(0n);
  });

  test('DeviceIDs that fit into two pages have a flat table', () => {
    const rig = new Rig({ its: [{ typer: 0x1f_0001_afb1n }] });
    rig.start();
    // 14 bits of 8 bytes: 128 KiB, two pages; Indirect stays clear and was not tried
    expect(rig.its[0].basers[0] & ~TABLE_ADDRESS).toBe(0xb907_0000_0000_0601n);
    expect(writes(rig, 'its', 0x100)).toHaveLength(3);
  });

  test.each([
    ['64 KiB', 2n, 0x600n, 0x1_0000],
    ['16 KiB', 1n, 0x500n, 0x4000],
    ['4 KiB', 0n, 0x400n, 0x1000],
  ])('pages of %s where no larger ones stick', (_title, pageSize, low, page) => {
    const rig = new Rig({ its: [{ pageSizes: [pageSize] }] });
    const host = rig.start();
    expect(rig.its[0].basers[1] & 0xfffn).toBe(low);
    rig.device(host, 0xffff).enable(1);
    expect(rig.memory.live.filter(({ sizeBytes }) => sizeBytes === page).length).toBeGreaterThan(0);
    expect(rig.its[0].devices.has(0xffff)).toBe(true);
  });

  test('ENXIO where no page size sticks', () => {
    expect(refusal({ its: [{ pageSizes: [3n] }] })).toBe(
      '/intc@8000000/its@8080000: GITS_BASER0 takes no page size (ENXIO)',
    );
  });

  test('one level where Indirect does not stick: as many pages as Size can say, and a warning for what is left out', () => {
    const rig = new Rig({ its: [{ indirect: false, typer: 0x1f_0003_efb1n, pageSizes: [0n] }] });
    const host = rig.start();
    // 32 bits of DeviceIDs; 256 pages of 4 KiB hold 2^17 entries of 8 bytes
    expect(rig.its[0].basers[0] & ~TABLE_ADDRESS).toBe(0xb907_0000_0000_04ffn);
    expect(host.log.warnings).toEqual([
      '/intc@8000000/its@8080000: the device table cannot hold all 32 bits of DeviceIDs',
    ]);
    rig.device(host, 2 ** 17 - 1).enable(1);
    expect(caught(() => rig.device(host, 2 ** 17).enable(1)).message).toBe(
      '/intc@8000000/its@8080000: no room for DeviceID 0x20000 (ENOSPC)',
    );
  });

  test('an ITS that does not share is given non-cacheable tables and queue', () => {
    const rig = new Rig({ its: [{ shareability: 0n }] });
    rig.start();
    const [its] = rig.its;
    expect(its.basers[0] & ~TABLE_ADDRESS).toBe(0xc907_0000_0000_0200n);
    // The first table's answer serves for the second: it is written once with it.
    expect(its.basers[1] & ~TABLE_ADDRESS).toBe(0x8c07_0000_0000_0200n);
    expect(writes(rig, 'its', 0x108)).toHaveLength(3);
    expect(its.cbaser & ~ADDRESS).toBe(0x8800_0000_0000_000fn);
  });

  test('an ITS that shares outwards only has it so, and cacheable', () => {
    const rig = new Rig();
    const [its] = rig.its;
    const store = its.write64.bind(its);
    its.write64 = (offset, lo, hi) => store(offset, offset >= 0x100 && lo !== 0 ? (lo & ~0xc00) | 0x800 : lo, hi);
    rig.start();
    expect(its.basers[0] & ~TABLE_ADDRESS).toBe(0xf907_0000_0000_0a00n);
    expect(its.basers[1] & ~TABLE_ADDRESS).toBe(0xbc07_0000_0000_0a00n);
  });

  test('memory beyond 48 bits: in 64 KiB pages bits [51:48] go into [15:12]; smaller ones cannot say it', () => {
    const rig = new Rig({ memoryBase: 3 * 2 ** 48 });
    const host = rig.start();
    expect(rig.its[0].basers[0] & 0xf000n).toBe(0x3000n);
    rig.device(host, 5).enable(2);
    expect(rig.its[0].devices.size).toBe(1);
    expect(refusal({ memoryBase: 3 * 2 ** 48, its: [{ pageSizes: [0n] }] })).toMatch(
      /^\/intc@8000000\/its@8080000: the device table is at 0x3[0-9a-f]{12}, beyond 48 bits \(ENXIO\)$/,
    );
  });

  test('a register that reads back otherwise is refused by name and value', () => {
    // Entry_Size 8 of GITS_BASER1; the fake drops InnerCache
    const rig = new Rig();
    const [its] = rig.its;
    const store = its.write64.bind(its);
    its.write64 = (offset, lo, hi) => {
      store(offset, lo, offset === 0x108 ? hi & ~0x3800_0000 : hi);
    };
    expect(caught(() => rig.start()).message).toMatch(
      /^\/intc@8000000\/its@8080000: GITS_BASER1 does not keep 0xbc070000_[0-9a-f]{8} \(ENXIO\)$/,
    );
    expect(rig.memory.live).toEqual([]);
  });

  test('an ITS without tables holds devices and collections itself', () => {
    const rig = new Rig({ its: [{ basers: [], typer: QEMU_TYPER | (2n << 24n) }] });
    const host = rig.start();
    rig.device(host, 0xffff).enable(1);
    expect(rig.its[0].devices.has(0xffff)).toBe(true);
    expect(caught(() => rig.device(host, 0x1_0000).enable(1)).code).toBe('ENOSPC');
  });

  test('ENOSPC for more processors than collections', () => {
    expect(refusal({ nrCpus: 3, its: [{ basers: [], typer: QEMU_TYPER | (2n << 24n) }] })).toBe(
      '/intc@8000000/its@8080000: no room for 3 collections, there are 2 (ENOSPC)',
    );
    // CIL with one bit of collection id
    expect(refusal({ nrCpus: 3, its: [{ typer: 0x10_0001_efb1n }] })).toMatch(/no room for 3 collections/);
  });

  test('a table of vPEs is left alone', () => {
    const rig = new Rig({ its: [{ basers: [...QEMU_BASERS, 0x0207_0000_0000_0000n] }] });
    rig.start();
    expect(writes(rig, 'its', 0x110)).toEqual([0n]);
  });
});

describe('what is no ITS, or cannot be used', () => {
  test.each<[string, RigOptions, RegExp]>([
    ['another device', { its: [{ pidr2: 0 }] }, /is no ITS, its ArchRev is 0 \(ENODEV\)/],
    ['virtual LPIs only', { its: [{ typer: QEMU_TYPER & ~1n }] }, /serves no physical LPIs \(ENODEV\)/],
    ['no msi-controller', { its: [{ msiController: false }] }, /is no msi-controller of a GIC \(ENODEV\)/],
    ['a GIC without LPIs', { hasLpis: false }, /the redistributors have no LPIs \(ENXIO\)/],
    ['INTIDs too short for LPIs', { idBits: 10 }, /the redistributors have no LPIs \(ENXIO\)/],
  ])('%s', (_title, options, message) => {
    expect(refusal(options)).toMatch(message);
  });

  test('GICv4 is a GICv3 with more', () => {
    const rig = new Rig({ its: [{ pidr2: 0x4b }] });
    expect(rig.start().drivers).toHaveLength(2);
  });

  test('it waits for quiescence, and gives up with ETIMEDOUT', () => {
    const rig = new Rig();
    rig.its[0].ctlr = 1n;
    rig.its[0].busyReads = 5;
    expect(rig.start().drivers).toHaveLength(2);
    expect(
      refusal({}, ({ its }) => {
        its[0].ctlr = 1n;
        its[0].busyReads = Infinity;
      }),
    ).toBe('/intc@8000000/its@8080000: does not become quiescent (ETIMEDOUT)');
  });
});

describe('LPIs of the redistributors', () => {
  test('one configuration table for all, a pending table each: 64 KiB, priority 0xa0, disabled', () => {
    const rig = new Rig({ nrCpus: 3 });
    rig.start();
    for (const { propbaser, pendbaser, ctlr } of rig.redistributors) {
      expect(propbaser & ~ADDRESS).toBe(0x78fn);
      expect(propbaser).toBe(rig.redistributors[0].propbaser);
      expect(pendbaser & 0xffffn).toBe(0x780n);
      expect(ctlr & 1n).toBe(1n);
    }
    expect(new Set(rig.redistributors.map(({ pendbaser }) => pendbaser)).size).toBe(3);
    const table = rig.memory.at(Number(rig.redistributors[0].propbaser & ADDRESS), 0x1_0000);
    expect(table.every((byte) => byte === 0xa2)).toBe(true);
  });

  test('INTIDs of 24 bits are cut to 16; of 14, to what there is', () => {
    const wide = new Rig({ idBits: 24 });
    wide.start();
    expect(wide.redistributors[0].propbaser & 0x1fn).toBe(15n);
    const narrow = new Rig({ idBits: 14 });
    narrow.start();
    expect(narrow.redistributors[0].propbaser & 0x1fn).toBe(13n);
  });

  test('a redistributor that does not share is given non-cacheable tables', () => {
    const rig = new Rig();
    rig.redistributors[1].shareable = false;
    rig.start();
    expect(rig.redistributors[0].propbaser & 0xfffn).toBe(0x78fn);
    expect(rig.redistributors[1].propbaser & 0xfffn).toBe(0x08fn);
    expect(rig.redistributors[1].pendbaser & 0xffffn).toBe(0x080n);
  });

  test('left enabled by others: disabled first, with a warning', () => {
    const rig = new Rig();
    rig.redistributors[1].ctlr = 3n;
    rig.redistributors[1].rwpReads = 4;
    expect(rig.start().log.warnings).toEqual(['/intc@8000000/its@8080000: the LPIs of CPU 1 were enabled already']);
    expect(rig.redistributors[1].ctlr & 1n).toBe(1n);
  });

  test('left enabled for good: EBUSY; for too long: ETIMEDOUT', () => {
    const enabled = (letsGo: boolean, rwpReads: number) => (rig: Rig) => {
      Object.assign(rig.redistributors[1], { ctlr: 3n, letsGo, rwpReads });
    };
    expect(refusal({}, enabled(false, 0))).toBe(
      '/intc@8000000/its@8080000: the redistributor of CPU 1 does not let go of its LPIs (EBUSY)',
    );
    expect(refusal({}, enabled(true, Infinity))).toBe(
      '/intc@8000000/its@8080000: the redistributor of CPU 1 does not finish disabling LPIs (ETIMEDOUT)',
    );
  });
});

describe('letting go', () => {
  test('ITS disabled and without tables, LPIs disabled, memory back, nothing registered', () => {
    const rig = new Rig({ its: [{}, {}] });
    const host = rig.start();
    const device = rig.device(host, 0x10);
    device.enable(4);
    device.disable();
    host.teardown();
    expect(host.log.warnings).toEqual([]);
    expect(rig.memory.live).toEqual([]);
    for (const its of rig.its) {
      expect(its.ctlr).toBe(0n);
      expect(its.basers.map((baser) => baser >> 63n)).not.toContain(1n);
      expect(its.cbaser).toBe(0n);
    }
    expect(rig.redistributors.map(({ ctlr }) => ctlr & 1n)).toEqual([0n, 0n]);
    expect(rig.nrHotplugListeners).toBe(0);
    expect(host.doorbells.all).toEqual([]);
    expect(host.irqs.findDomain(rig.itsNodes[0], 'msi-parent')).toBeUndefined();
    expect(rig.start().drivers).toHaveLength(3);
  });

  test('LPI tables stay where a redistributor goes on using them', () => {
    const rig = new Rig();
    const host = rig.start();
    for (const redistributor of rig.redistributors) redistributor.letsGo = false;
    host.teardown();
    expect(host.log.warnings).toEqual([
      '/intc@8000000/its@8080000: the redistributor of CPU 0 does not let go of its LPIs (EBUSY): 196608 bytes of LPI tables stay allocated',
    ]);
    expect(rig.memory.liveBytes).toBe(196608);
    expect(rig.its[0].ctlr).toBe(0n);
  });

  test('an ITS that does not become quiescent keeps its memory', () => {
    const rig = new Rig();
    const host = rig.start();
    rig.its[0].busyReads = Infinity;
    host.teardown();
    expect(host.log.warnings).toEqual([
      '/intc@8000000/its@8080000: does not become quiescent (ETIMEDOUT): 196608 bytes stay allocated',
    ]);
    expect(rig.memory.liveBytes).toBe(196608);
  });

  test('failing each allocation of the probe in turn leaves no memory behind', () => {
    let host: Host | undefined;
    let allocations = 0;
    for (; !host; allocations++) {
      const rig = new Rig({ its: [{}, {}] });
      rig.memory.left = allocations;
      try {
        host = rig.start();
      } catch (error) {
        expect(LinuxError.is(error, 'ENOMEM') && error.message).toMatch(
          /^\/intc@8000000\/its@[89]080000: no memory for /,
        );
        expect(rig.memory.live).toEqual([]);
        expect(rig.redistributors.map(({ ctlr }) => ctlr & 1n)).toEqual([0n, 0n]);
      }
    }
    // configuration table, two pending tables; twice two tables and a queue
    expect(allocations - 1).toBe(9);
  });
});
