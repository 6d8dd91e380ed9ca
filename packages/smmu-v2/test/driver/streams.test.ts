// SPDX-License-Identifier: Apache-2.0
// Which stream match registers devices get, share and give back; against a reference that tries every StreamID.

import { runs, seed } from '@irqkit-test/env';
import { LinuxError } from '@irqkit/core';
import type { Device, IommuGroup } from '@irqkit/core';
import fc from 'fast-check';
import { caught } from '@irqkit-test/caught';
import { MMU_500 } from './fake-smmu.js';
import { Rig, testDevice } from './rig.js';
import type { RigOptions } from './rig.js';

const up = (options: RigOptions = {}) => {
  const rig = new Rig(options);
  return { rig, ...rig.start() };
};
const SMR = (rig: Rig, n: number): number => rig.smmu.get(0x800 + 4 * n);
const S2CR = (rig: Rig, n: number): number => rig.smmu.get(0xc00 + 4 * n);
const join = (group: number, ...devices: Device[]): IommuGroup => {
  const made = { id: group, devices };
  for (const device of devices) device.iommuGroup = made;
  return made;
};

describe('stream matching', () => {
  test('an entry for each stream, faulting until a domain is attached', () => {
    const { rig, ops, driver } = up();
    const written = rig.written(() => void rig.device(ops, 'device', 0x10, [0x400, 0x3f]));
    expect(written).toEqual(['c00=20000', '800=80000010', 'c04=20000', '804=803f0400']);
    expect(driver.streamMatches.usage).toEqual([2, 32]);
  });

  test('a stream that an entry contains shares it, and the devices are one group', () => {
    const { rig, ops } = up();
    const first = rig.device(ops, 'first', [0x400, 0x3f]);
    expect(ops.deviceGroup?.(first)).toBeUndefined();
    const group = join(7, first);
    expect(rig.written(() => void rig.device(ops, 'second', 0x420))).toEqual([]);
    const third = rig.device(ops, 'third', [0x410, 0xf]);
    expect(ops.deviceGroup?.(third)).toBe(group);
    // Kept until the last one goes.
    expect(rig.written(() => ops.releaseDevice(first))).toEqual([]);
    expect(rig.written(() => ops.releaseDevice(third))).toEqual([]);
    expect(SMR(rig, 0)).toBe(0x803f_0400);
  });

  test('EINVAL for a stream that overlaps another in part, with what was taken before undone', () => {
    const { rig, ops, driver } = up();
    rig.device(ops, 'first', 0x420);
    const written = rig.written(() =>
      expect(caught(() => ops.probeDevice(testDevice('second'), rig.ids(0x10, [0x400, 0x3f]))).message).toBe(
        '/iommu@2b400000: StreamID 0x400 mask 0x3f of second overlaps another stream in part (EINVAL)',
      ),
    );
    expect(written).toEqual([]);
    expect(driver.streamMatches.usage).toEqual([1, 32]);
    rig.device(ops, 'third', 0x10);
  });

  test('ENOSPC where no register is left, undone; what is given back is had again', () => {
    const { rig, ops, driver } = up({ facts: { ...MMU_500, idr0: 0x7c00_5e03 } });
    const first = rig.device(ops, 'first', 1, 2);
    expect(caught(() => ops.probeDevice(testDevice('second'), rig.ids(3, 4))).message).toBe(
      '/iommu@2b400000: no stream match register left for StreamID 0x4 mask 0x0 of second (ENOSPC)',
    );
    expect(driver.streamMatches.usage).toEqual([2, 3]);
    expect(rig.written(() => ops.releaseDevice(first))).toEqual(['c00=20000', '800=0', 'c04=20000', '804=0']);
    rig.device(ops, 'third', 3, 4, 5);
  });

  test('devices that share with several groups are refused', () => {
    const { rig, ops } = up();
    join(1, rig.device(ops, 'one', 1));
    join(2, rig.device(ops, 'two', 2));
    const both = rig.device(ops, 'both', 1, 2);
    expect(caught(() => ops.deviceGroup?.(both)).message).toBe(
      '/iommu@2b400000: both shares streams with several groups (EINVAL)',
    );
  });

  test('EBUSY for a device that is there, ENODEV for one that is not, ERANGE beyond 16 bits', () => {
    const { rig, ops } = up();
    const device = rig.device(ops, 'device', 1);
    expect(caught(() => ops.probeDevice(device, rig.ids(2))).code).toBe('EBUSY');
    expect(caught(() => ops.deviceGroup?.(testDevice('stranger'))).code).toBe('ENODEV');
    expect(caught(() => ops.allocDomain('identity').attach(testDevice('stranger'))).code).toBe('ENODEV');
    expect(caught(() => ops.probeDevice(testDevice('far'), rig.ids(0x1_0001))).code).toBe('ERANGE');
    ops.releaseDevice(testDevice('stranger'));
  });

  test('stream-match-mask is for entries of one cell and for mapped ids', () => {
    const { rig, ops } = up({ cells: { 'stream-match-mask': 0x7c00 } });
    rig.device(ops, 'one cell', 0x3);
    const mapped = testDevice('mapped');
    ops.probeDevice(mapped, [{ controller: rig.node, id: 0x4 }]);
    rig.device(ops, 'two cells', [0x5, 0]);
    expect([0, 1, 2].map((n) => SMR(rig, n))).toEqual([0xfc00_0003, 0xfc00_0004, 0x8000_0005]);
  });
});

describe('stream indexing', () => {
  // IDR0.SMS is 0, NUMSIDB 5.
  const indexed = () => up({ facts: { ...MMU_500, idr0: 0x7400_4a00 } });

  test('the StreamID is the index of its S2CR', () => {
    const { rig, ops, driver } = indexed();
    expect(driver.streamMatches).toEqual({ idBits: 0x1f, maskBits: 0, usage: [0, 32] });
    const device = rig.device(ops, 'device', 0x1f);
    expect(rig.written(() => ops.allocDomain('identity').attach(device))).toEqual(['c7c=10000']);
    expect(caught(() => rig.device(ops, 'far', 0x20)).code).toBe('ERANGE');
    expect(caught(() => rig.device(ops, 'masked', [1, 1])).code).toBe('EINVAL');
    // There is no SMR.
    expect(rig.smmu.trace.filter(({ offset }) => offset >= 0x800 && offset < 0xc00)).toEqual([]);
  });

  test('devices with one StreamID share it', () => {
    const { rig, ops } = indexed();
    const first = rig.device(ops, 'first', 3);
    const group = join(1, first);
    expect(ops.deviceGroup?.(rig.device(ops, 'second', 3))).toBe(group);
    ops.releaseDevice(first);
    expect(S2CR(rig, 3)).toBe(0x2_0000);
  });
});

describe('against a reference that tries every StreamID', () => {
  const BITS = 4;
  const idsOf = ([id, mask]: readonly [number, number]): Set<number> =>
    new Set([...Array(2 ** BITS).keys()].filter((sid) => ((sid ^ id) & ~mask) === 0));
  const stream = fc.tuple(fc.nat(2 ** BITS - 1), fc.nat(2 ** BITS - 1));
  const operation = fc.oneof(
    fc.record({ add: fc.array(stream, { minLength: 1, maxLength: 3 }) }),
    fc.record({ remove: fc.nat(5) }),
  );

  test('what is taken, shared, refused and given back', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        const { rig, ops } = up({ facts: { ...MMU_500, idr0: 0x7c00_5e04, idr1: 0x2000_0001 }, nrInterrupts: 2 });
        /** StreamIDs of each entry, and who uses it. */
        let entries: { ids: Set<number>; users: Set<Device> }[] = [];
        const devices: Device[] = [];
        for (const [n, each] of operations.entries()) {
          if ('remove' in each) {
            const [gone] = devices.splice(each.remove, 1);
            if (gone) ops.releaseDevice(gone);
            for (const { users } of entries) users.delete(gone);
            entries = entries.filter(({ users }) => users.size > 0);
            continue;
          }
          const device = testDevice(`device ${n}`);
          const taken = entries.map(({ ids, users }) => ({ ids, users: new Set(users) }));
          let code: string | undefined;
          for (const ids of each.add.map(idsOf)) {
            const meeting = taken.filter((entry) => [...ids].some((id) => entry.ids.has(id)));
            const around = meeting.find((entry) => [...ids].every((id) => entry.ids.has(id)));
            if (around) around.users.add(device);
            else if (meeting.length > 0) code ??= 'EINVAL';
            else if (taken.length === 4) code ??= 'ENOSPC';
            else taken.push({ ids, users: new Set([device]) });
            if (code) break;
          }
          try {
            ops.probeDevice(device, rig.ids(...each.add));
            expect(code).toBeUndefined();
            devices.push(device);
            entries = taken;
          } catch (error) {
            if (!LinuxError.is(error)) throw error;
            expect(error.code).toBe(code);
          }
          // No StreamID matches twice, and exactly those of the entries match.
          const valid = [0, 1, 2, 3].map((index) => SMR(rig, index)).filter((smr) => smr >>> 31 === 1);
          for (let sid = 0; sid < 2 ** BITS; sid++) {
            const matches = valid.filter((smr) => ((sid ^ smr) & 0x7fff & ~((smr >>> 16) & 0x7fff)) === 0);
            expect(matches).toHaveLength(entries.some(({ ids }) => ids.has(sid)) ? 1 : 0);
          }
        }
      }),
      { seed, numRuns: runs(200, 10_000) },
    );
  });
});
