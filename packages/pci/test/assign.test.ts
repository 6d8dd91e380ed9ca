// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { runs, seed } from '@irqkit-test/env';
import {
  PciEndpoint,
  configImage,
  eduLike,
  nicLike,
  nvmeLike,
  pciPciBridge,
  pciePciBridge,
  rootPort,
} from '@irqkit/pci';
import type { BarSpec, PciDevice, PciSlot } from '@irqkit/pci';
import { physAddr } from '@irqkit/core';
import { Machine } from './support/machine.js';
import { VIRT_RANGES } from './support/tree.js';

const endpoint = (...bars: readonly BarSpec[]): PciEndpoint =>
  new PciEndpoint(configImage({ vendorId: 0x1234, deviceId: 1, classCode: 0xff0000 }), bars);
const memory = (index: number, sizeBytes: number): BarSpec => ({ index, sizeBytes, space: 'memory' });
const memory64 = (index: number, sizeBytes: number, prefetchable: boolean): BarSpec => ({
  index,
  sizeBytes,
  space: 'memory',
  is64: true,
  prefetchable,
});
const addresses = (device: PciDevice): readonly (number | undefined)[] => device.bars.map(({ address }) => address);

/** What a bridge forwards downwards, read from its registers. */
function windowsOf(bridge: PciDevice): readonly (readonly [number, number])[] {
  const memoryBase = (bridge.readConfig(0x20, 2) & 0xfff0) * 0x1_0000;
  const memoryLimit = (bridge.readConfig(0x22, 2) & 0xfff0) * 0x1_0000 + 0xf_ffff;
  const high = (offset: number): number => bridge.readConfig(offset, 4) * 2 ** 32;
  const prefetchableBase = high(0x28) + (bridge.readConfig(0x24, 2) & 0xfff0) * 0x1_0000;
  const prefetchableLimit = high(0x2c) + (bridge.readConfig(0x26, 2) & 0xfff0) * 0x1_0000 + 0xf_ffff;
  return [
    [memoryBase, memoryLimit],
    [prefetchableBase, prefetchableLimit],
  ];
}

describe('BAR assignment', () => {
  it('sizes BARs of every kind', () => {
    const machine = new Machine({
      plugged: [
        {
          device: 1,
          model: endpoint(
            memory(0, 16),
            { index: 1, sizeBytes: 4, space: 'io' },
            memory64(2, 2 ** 33, true),
            memory64(4, 4096, false),
          ),
        },
      ],
    });
    const { bars } = machine.device('0000:00:01.0');
    expect(
      bars.map(({ index, sizeBytes, space, is64, prefetchable }) => [index, sizeBytes, space, is64, prefetchable]),
    ).toEqual([
      [0, 16, 'memory', false, false],
      [1, 4, 'io', false, false],
      [2, 2 ** 33, 'memory', true, true],
      [4, 4096, 'memory', true, false],
    ]);
  });

  it('places the largest alignment first, 64-bit space above 4 GiB', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: endpoint(memory(0, 0x1000)) },
        { device: 2, model: endpoint(memory(0, 0x10_0000), memory64(2, 0x4000, true)) },
        { device: 3, model: endpoint({ index: 0, sizeBytes: 0x20, space: 'io' }, memory64(1, 0x1_0000, false)) },
      ],
    });
    expect(addresses(machine.device('0000:00:01.0'))).toEqual([0x1010_0000]);
    expect(addresses(machine.device('0000:00:02.0'))).toEqual([0x1000_0000, 0x80_0001_0000]);
    expect(addresses(machine.device('0000:00:03.0'))).toEqual([0x1000, 0x80_0000_0000]);
    expect(machine.device('0000:00:02.0').barRegion(2)).toEqual({ base: 0x80_0001_0000, sizeBytes: 0x4000 });
  });

  it('translates where the host bridge does', () => {
    const machine = new Machine({
      ranges: [{ flags: 0x0200_0000, childBase: 0, parentBase: physAddr(0x40_0000_0000), sizeBytes: 0x1000_0000 }],
      plugged: [{ device: 0, model: eduLike() }],
    });
    const edu = machine.device('0000:00:00.0');
    expect(addresses(edu)).toEqual([0]);
    expect(edu.barRegion(0).base).toBe(0x40_0000_0000);
    edu.enable();
    expect(machine.read(0x40_0000_0000, 4)).toBe(0x0100_00ed);
  });

  it('fills the hole in front of a large BAR', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: endpoint(memory(0, 0x1000_0000)) },
        { device: 2, model: endpoint(memory(0, 0x1000)) },
      ],
      ranges: [
        { flags: 0x0200_0000, childBase: 0x1800_0000, parentBase: physAddr(0x1800_0000), sizeBytes: 0x2000_0000 },
      ],
    });
    expect(addresses(machine.device('0000:00:01.0'))).toEqual([0x2000_0000]);
    expect(addresses(machine.device('0000:00:02.0'))).toEqual([0x1800_0000]);
  });

  it('opens bridge windows in grains of 1 MiB, and closes those that nothing needs', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: rootPort(), behind: [{ device: 0, model: endpoint(memory64(0, 0x1000, true)) }] },
        {
          device: 2,
          model: pciePciBridge(),
          behind: [
            { device: 1, model: eduLike() },
            { device: 2, model: eduLike() },
          ],
        },
      ],
    });
    expect(windowsOf(machine.device('0000:00:01.0'))).toEqual([
      [0xfff0_0000, 0x000f_ffff],
      [0x80_0000_0000, 0x80_000f_ffff],
    ]);
    expect(windowsOf(machine.device('0000:00:02.0'))).toEqual([
      [0x1000_0000, 0x101f_ffff],
      [0xfff0_0000, 0x000f_ffff],
    ]);
    expect(addresses(machine.device('0000:01:00.0'))).toEqual([0x80_0000_0000]);
    expect(addresses(machine.device('0000:02:01.0'))).toEqual([0x1000_0000]);
    expect(addresses(machine.device('0000:02:02.0'))).toEqual([0x1010_0000]);
  });

  it('keeps a 32-bit prefetchable BAR out of a 64-bit window', () => {
    const machine = new Machine({
      plugged: [
        {
          device: 1,
          model: rootPort(),
          behind: [
            { device: 0, model: endpoint({ index: 0, sizeBytes: 0x1000, space: 'memory', prefetchable: true }) },
          ],
        },
      ],
    });
    expect(addresses(machine.device('0000:01:00.0'))).toEqual([0x1000_0000]);
  });

  it('warns of what finds no place, and refuses to enable it', () => {
    const machine = new Machine({
      plugged: [{ device: 1, model: endpoint(memory(0, 0x8000_0000)) }],
    });
    const device = machine.device('0000:00:01.0');
    expect(addresses(device)).toEqual([undefined]);
    expect(machine.host.log.warnings).toEqual(['0000:00:01.0 BAR 0: no space for 2147483648 bytes']);
    expect(() => device.enable()).toThrow('0000:00:01.0: BAR 0 has no address (EINVAL)');
  });

  it('stays aligned, disjoint and within every window above, whatever is plugged in', () => {
    const bar = fc.oneof(
      fc.record({
        sizeBytes: fc.integer({ min: 4, max: 22 }).map((log2) => 2 ** log2),
        space: fc.constant('memory' as const),
        is64: fc.boolean(),
        prefetchable: fc.boolean(),
      }),
      fc.record({
        sizeBytes: fc.integer({ min: 2, max: 6 }).map((log2) => 2 ** log2),
        space: fc.constant('io' as const),
      }),
    );
    const leaf = fc.array(bar, { maxLength: 3 }).map((bars) => ({ bars, behind: undefined }));
    interface Plan {
      readonly bars: readonly Omit<BarSpec, 'index'>[];
      readonly behind: readonly Plan[] | undefined;
    }
    const plan: fc.Arbitrary<Plan> = fc.letrec<{ tree: Plan }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        leaf,
        fc.record({ bars: fc.constant([]), behind: fc.array(tie('tree'), { maxLength: 4 }) }),
      ),
    })).tree;
    const slot = ({ bars, behind }: Plan, device: number): PciSlot =>
      behind
        ? { device, model: pciPciBridge(), behind: behind.map(slot) }
        : { device, model: endpoint(...bars.map((spec, i) => ({ ...spec, index: 2 * i }))) };
    fc.assert(
      fc.property(fc.array(plan, { maxLength: 6 }), (plans) => {
        const machine = new Machine({ plugged: plans.map(slot) });
        const taken: (readonly [number, number, string])[] = [];
        for (const device of machine.driver.devices)
          for (const { address, sizeBytes, space } of device.bars) {
            if (address === undefined) {
              expect(space).toBe('io');
              continue;
            }
            expect(address % sizeBytes).toBe(0);
            const last = address + sizeBytes - 1;
            taken.push([address, last, space]);
            if (space === 'io') continue;
            const inHost = VIRT_RANGES.some(
              ({ flags, childBase, sizeBytes: size }) =>
                flags !== 0x0100_0000 && address >= childBase && last < childBase + size,
            );
            expect(inHost).toBe(true);
            for (const bridge of device.bridgesAbove)
              expect(windowsOf(bridge).some(([first, limit]) => address >= first && last <= limit)).toBe(true);
          }
        taken.sort((a, b) => (a[2] === b[2] ? a[0] - b[0] : a[2] < b[2] ? -1 : 1));
        for (let i = 1; i < taken.length; i++)
          if (taken[i][2] === taken[i - 1][2]) expect(taken[i][0]).toBeGreaterThan(taken[i - 1][1]);
      }),
      { seed, numRuns: runs(60, 3000) },
    );
  });

  it('gives what it placed to the functions it placed it for', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 65 }) }] },
        { device: 2, model: nicLike({ vectors: 5 }) },
        { device: 7, model: pciePciBridge(), behind: [{ device: 1, model: eduLike() }] },
      ],
    });
    const edu = machine.device('0000:02:01.0');
    const { base } = edu.barRegion(0);
    expect(machine.read(base, 4)).toBe(0xffff_ffff);
    edu.enable();
    expect(machine.read(base, 4)).toBe(0x0100_00ed);
    expect(machine.device('0000:00:07.0').enabled).toBe(true);
    machine.device('0000:00:07.0').disable();
    expect(machine.read(base, 4)).toBe(0x0100_00ed);
    machine.device('0000:00:07.0').writeConfig(0x04, 0, 2);
    expect(machine.read(base, 4)).toBe(0xffff_ffff);
  });
});
