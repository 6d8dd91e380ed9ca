// SPDX-License-Identifier: Apache-2.0
// Event records, written out from the tables of IHI 0070, section 7.3, and what becomes of them.

import type { IommuOps } from '@irqkit/core';
import type { SmmuFault, SmmuV3Driver } from '@irqkit/smmu-v3';
import { OPCODE } from './fake-smmu.js';
import { Rig } from './rig.js';
import type { RigOptions } from './rig.js';

interface Machine {
  readonly rig: Rig;
  readonly driver: SmmuV3Driver;
  readonly ops: IommuOps;
  readonly faults: SmmuFault[];
}

function machine(options: RigOptions = {}): Machine {
  const rig = new Rig(options);
  const { driver, ops } = rig.start();
  const faults: SmmuFault[] = [];
  driver.onFault((fault) => void faults.push(fault));
  return { rig, driver, ops, faults };
}

describe('event records', () => {
  test('a read that is not mapped, of a device that is known', () => {
    const { rig, ops, faults } = machine();
    const device = rig.device(ops, '0000:00:06.0', 0x30);
    // F_TRANSLATION; RnW, CLASS IN
    rig.smmu.record(0x30_0000_0010n, 0x208_0000_0000n, 0x7002_0000n);
    expect(faults).toEqual([
      {
        type: 'F_TRANSLATION',
        number: 0x10,
        streamId: 0x30,
        substreamId: undefined,
        device,
        access: 'read',
        privileged: false,
        instruction: false,
        address: 0x7002_0000,
        stage: 1,
        class: 'IN',
        ipa: undefined,
        fetchAddress: undefined,
        stalled: false,
        stag: 0,
        record: [0x10, 0x30, 0, 0x208, 0x7002_0000, 0, 0, 0],
      },
    ]);
    const text = 'F_TRANSLATION StreamID=0x30 (0000:00:06.0): read of 0x70020000, stage 1, class IN';
    expect(rig.warnings).toEqual([`/smmuv3@9050000: ${text}`]);
    expect(rig.reported).toEqual([
      { iommu: rig.node, device, id: 0x30, address: 0x7002_0000, write: false, event: 'F_TRANSLATION', text },
    ]);
  });

  test('a privileged write of a substream that stage 2 does not permit', () => {
    const { rig, faults } = machine();
    // F_PERMISSION, SSV, SubstreamID 5; PnU, S2, CLASS TT; IPA
    rig.smmu.record(0x31_0000_5813n, 0x182_0000_0000n, 0x0012_3456_7000n, 0x4567_8000n);
    expect(faults).toMatchObject([
      {
        type: 'F_PERMISSION',
        streamId: 0x31,
        substreamId: 5,
        device: undefined,
        access: 'write',
        privileged: true,
        address: 0x12_3456_7000,
        stage: 2,
        class: 'TT',
        ipa: 0x4567_8000,
      },
    ]);
    expect(rig.warnings).toEqual([
      '/smmuv3@9050000: F_PERMISSION StreamID=0x31 SubstreamID=0x5: write of 0x1234567000, stage 2, class TT, IPA 0x45678000',
    ]);
  });

  test.each([
    [0x02n, 'C_BAD_STREAMID', {}],
    [0x03n, 'F_STE_FETCH', { fetchAddress: 0x5b66_0200 }],
    [0x04n, 'C_BAD_STE', {}],
    [0x09n, 'F_CD_FETCH', { fetchAddress: 0x5b66_0200 }],
    [0x0an, 'C_BAD_CD', {}],
    [0x0bn, 'F_WALK_EABT', { access: 'write', stage: 1, class: 'CD', fetchAddress: 0x5b66_0200 }],
    [0x12n, 'F_ACCESS', { access: 'write', stage: 1, class: 'CD' }],
    [0x20n, 'F_TLB_CONFLICT', { access: 'write' }],
    [0x21n, 'F_CFG_CONFLICT', {}],
    [0xe0n, 'event 0xe0', {}],
  ])('%s is %s', (number, type, expected) => {
    const { rig, faults } = machine();
    rig.smmu.record(0x30_0000_0000n | number, 0n, 0n, 0x5b66_0200n);
    const absent = { access: undefined, stage: undefined, class: undefined, ipa: undefined, fetchAddress: undefined };
    expect(faults).toMatchObject([{ type, number: Number(number), streamId: 0x30, ...absent, ...expected }]);
  });

  test('listeners come and go', () => {
    const { rig, driver, faults } = machine();
    const more: SmmuFault[] = [];
    const remove = driver.onFault((fault) => void more.push(fault));
    rig.smmu.record(0x10n);
    remove();
    rig.smmu.record(0x10n);
    expect([faults.length, more.length]).toEqual([2, 1]);
  });

  test('a burst: all are handed over, ten are logged, the queue wraps', () => {
    const { rig, faults } = machine({ idr: { 4: 0xe5_0010 } });
    rig.smmu.onEvent = () => undefined;
    // 32 records
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 25; n++) expect(rig.smmu.record(BigInt(round * 25 + n) << 32n)).toBe(true);
      rig.raise('eventq');
    }
    expect(faults.map(({ streamId }) => streamId)).toEqual(Array.from({ length: 125 }, (_, n) => n));
    expect(rig.warnings).toHaveLength(55);
    expect(rig.warnings[10]).toBe('/smmuv3@9050000: and 15 events more');
  });

  test('an overflow is said once and acknowledged; the next one too', () => {
    const { rig, faults } = machine({ idr: { 4: 0xe5_0010 } });
    rig.smmu.onEvent = () => undefined;
    for (const [nth, cons] of [
      [1, 0x8000_0020],
      [2, 0x0000_0000],
    ]) {
      for (let n = 0; n < 32; n++) expect(rig.smmu.record(0x10n)).toBe(true);
      expect(rig.smmu.record(0x10n)).toBe(false);
      expect(rig.smmu.record(0x10n)).toBe(false);
      rig.raise('eventq');
      expect(faults).toHaveLength(nth * 32);
      expect(rig.warnings.filter((each) => each.includes('overflow'))).toHaveLength(nth);
      expect(rig.smmu.get(0x1_00ac)).toBe(cons);
    }
    expect(rig.warnings).toContain('/smmuv3@9050000: the event queue overflowed: events are lost');
  });

  test('a stalled transaction is aborted', () => {
    const { rig, faults } = machine({ idr: { 0: 0xe40_101a } });
    const from = rig.smmu.commands.length;
    // Stall, STAG 0xabcd
    rig.smmu.record(0x30_0000_0010n, 0x208_8000_abcdn, 0x7002_0000n);
    expect(faults).toMatchObject([{ stalled: true, stag: 0xabcd }]);
    expect(rig.smmu.commands.slice(from).map(({ opcode }) => opcode)).toEqual([OPCODE.RESUME]);
    // Ab at bit 13
    expect(rig.commandsSince(from)).toEqual(['3000002044:abcd']);
    expect(rig.warnings[0]).toMatch(/, stalled$/);
  });
});
