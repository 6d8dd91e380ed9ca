// SPDX-License-Identifier: Apache-2.0
// Probing: what is read, what is refused, what is written and in which order, and what is left when it fails.

import { caught } from '@irqkit-test/caught';
import { MMU_500 } from './fake-smmu.js';
import { Rig, testDevice } from './rig.js';
import type { RigOptions } from './rig.js';

/** Two banks, four groups. */
const SMALL = { ...MMU_500, idr0: 0x7c00_5e04, idr1: 0x2000_0002 };
const refusal = (options: RigOptions): string => {
  const rig = new Rig(options);
  const { message } = caught(() => rig.start());
  expect([rig.memory.live.length, rig.nrMapped, rig.nrIrqs]).toEqual([0, 0, 0]);
  return message;
};

describe('bringing an SMMU up', () => {
  test('everything faults before translation is enabled', () => {
    const rig = new Rig({ facts: SMALL, nrInterrupts: 3 });
    const written = rig.written(() => void rig.start());
    expect(written).toEqual([
      '48=0',
      // S2CR faults, SMR is not valid.
      ...[0, 1, 2, 3].flatMap((n) => [
        `c${(n * 4).toString(16).padStart(2, '0')}=20000`,
        `80${(n * 4).toString(16)}=0`,
      ]),
      // SCTLR off and every bit of FSR cleared.
      ...[0, 1].flatMap((n) => [`${8 + n}000=0`, `${8 + n}058=c00001fe`]),
      '6c=0',
      '68=0',
      // The MMU-500's: unlocked, SMTNMB_TLBEN and S2CRB_TLBEN; CPRE off.
      '10=500',
      '8004=0',
      '9004=0',
      '70=0',
      // PTM, VMIDPNE, USFCFG, GCFGFIE, GCFGFRE, GFIE, GFRE.
      '0=1c36',
      // The masks of SMRs, by the first.
      '800=7fff',
      '800=7fff0000',
    ]);
    expect(rig.nrIrqs).toBe(1);
    expect(rig.warnings).toEqual([]);
  });

  test('which bits SMRs have is found out, and what they do not have is refused', () => {
    const rig = new Rig({ facts: { ...MMU_500, smr: 0x3ff } });
    const { driver, ops } = rig.start();
    expect(driver.streamMatches).toEqual({ idBits: 0x3ff, maskBits: 0x3ff, usage: [0, 32] });
    expect(caught(() => rig.device(ops, 'far', 0x400)).message).toBe(
      '/iommu@2b400000: StreamID 0x400 of far is beyond 0x3ff (ERANGE)',
    );
    expect(caught(() => rig.device(ops, 'wide', [0, 0x400])).message).toBe(
      '/iommu@2b400000: mask 0x400 of wide is beyond 0x3ff (EINVAL)',
    );
    expect(driver.streamMatches.usage).toEqual([0, 32]);
  });

  test('extended StreamIDs have 16 bits and their valid bit in S2CR', () => {
    // IDR0.EXIDS is bit 8.
    const rig = new Rig({ facts: { ...MMU_500, idr0: 0x7c00_5f20, smr: 0xffff } });
    const { driver, ops } = rig.start();
    expect(driver.streamMatches).toMatchObject({ idBits: 0xffff, maskBits: 0xffff });
    expect(rig.smmu.get(0) & 8).toBe(8);
    const device = testDevice('device');
    const written = rig.written(() => ops.probeDevice(device, rig.ids([0x8001, 0x8000])));
    expect(written).toEqual(['800=80008001', 'c00=20400']);
    expect(rig.written(() => ops.releaseDevice(device))).toEqual(['c00=20000', '800=0']);
  });

  test('16-bit VMIDs are enabled where they are', () => {
    const rig = new Rig({ facts: { ...MMU_500, idr2: 0xd555 } });
    rig.start();
    expect(rig.smmu.get(0)).toBe(0x8000_1c36);
  });

  test('an MMU-500 that does not stop prefetching is warned of', () => {
    const rig = new Rig({ facts: SMALL, nrInterrupts: 3 });
    const write = rig.smmu.write.bind(rig.smmu);
    rig.smmu.write = (offset, value, size) => write(offset, offset === 0x9004 ? 2 : value, size);
    rig.start();
    expect(rig.warnings).toEqual(['/iommu@2b400000: context bank 1 does not stop prefetching']);
  });

  test('ACR.CACHE_LOCK is of the second revision on', () => {
    const rig = new Rig({ facts: { ...SMALL, idr7: 0x10 }, nrInterrupts: 3 });
    rig.start();
    expect(rig.smmu.get(0x10)).toBe(0x400_0500);
    const plain = new Rig({ facts: SMALL, nrInterrupts: 3, compatible: ['acme,smmu', 'arm,smmu-v2'] });
    plain.start();
    expect(plain.smmu.get(0x10)).toBe(0x400_0000);
  });

  test('firmware decides whether walks are coherent', () => {
    const rig = new Rig({ properties: [], facts: { ...MMU_500, idr0: 0x7c00_1e20 } });
    rig.start();
    expect(rig.warnings).toEqual([]);
    const other = new Rig({ properties: [] });
    other.start();
    expect(other.warnings).toEqual(['/iommu@2b400000: IDR0.CTTW is overridden by firmware: not coherent']);
  });

  test('pages of 64 KiB move the context banks', () => {
    const rig = new Rig({ facts: { ...MMU_500, idr1: 0xa000_0008 }, sizeBytes: 0x10_0000 });
    const { ops } = rig.start();
    const written = rig.written(() => void ops.allocDomain('dma'));
    expect(written.slice(0, 2)).toEqual(['10800=1', '10000=1f300']);
    expect(written.at(-1)).toBe('80000=1067');
  });

  test('teardown gives everything back, with streams bypassing as after a reset', () => {
    const rig = new Rig();
    rig.start();
    expect(rig.written(() => rig.devres.releaseAll()).slice(-2)).toEqual(['0=1', '70=0']);
    expect([rig.memory.live.length, rig.nrMapped, rig.nrIrqs]).toEqual([0, 0, 0]);
    expect(rig.registered).toBeUndefined();
  });
});

describe('what is refused', () => {
  const facts = (change: Partial<typeof MMU_500>) => ({ facts: { ...MMU_500, ...change } });
  const REFUSED: Readonly<Record<string, readonly [options: RigOptions, message: string]>> = {
    Tegra: [
      { compatible: ['nvidia,tegra194-smmu', 'nvidia,smmu-500'] },
      'nvidia,smmu-500 is not supported (EOPNOTSUPP)',
    ],
    'mmu-masters': [{ properties: ['mmu-masters'] }, 'mmu-masters is not supported (EOPNOTSUPP)'],
    Calxeda: [
      { properties: ['calxeda,smmu-secure-config-access'] },
      'calxeda,smmu-secure-config-access is not supported (EOPNOTSUPP)',
    ],
    'no translation': [facts({ idr0: 0x0800_1e20 }), 'translates nothing (ENODEV)'],
    'no SMRs': [facts({ idr0: 0x7800_1e00 }), 'matches streams, with no stream match registers (ENODEV)'],
    'more banks for stage 2 than banks': [
      facts({ idr1: 0x2009_0008 }),
      '9 of 8 context banks for stage 2 only (ENODEV)',
    ],
    'no tables to make': [
      facts({ idr0: 0x7e00_1e20, idr2: 0x0555 }),
      'has neither AArch64 tables nor those of the AArch32 long format (ENXIO)',
    ],
    'no #global-interrupts': [{ globalInterrupts: null }, 'no #global-interrupts (ENODEV)'],
    'no context interrupt': [{ nrInterrupts: 1 }, '1 interrupts, 2 wanted at least (ENODEV)'],
    'too few context interrupts': [{ nrInterrupts: 8 }, '7 context interrupts, 8 wanted (ENODEV)'],
    'a layout beyond reg': [{ sizeBytes: 0xf000 }, '61440 bytes of registers, 65536 wanted (EINVAL)'],
    'interrupts that are not there yet': [{ wired: 'not yet' }, '/intc@8000000: no wired domain yet (EPROBE_DEFER)'],
  };

  test.each(Object.entries(REFUSED))('%s', (_name, [options, message]) => {
    expect(refusal(options)).toMatch(message);
  });

  test('no wires at all is a warning', () => {
    const rig = new Rig({ wired: 'never' });
    const { ops } = rig.start();
    ops.allocDomain('dma').free();
    expect(rig.warnings).toHaveLength(2);
  });

  test('R7: ETIMEDOUT where its TLBs do not synchronize; what may be read is kept until they do', () => {
    const rig = new Rig();
    rig.smmu.tracing = false;
    rig.smmu.syncsLeft = 0;
    expect(caught(() => rig.start()).message).toBe(
      '/iommu@2b400000: the TLBs did not synchronize in 100000 polls (ETIMEDOUT)',
    );
    expect([rig.nrMapped, rig.nrIrqs, rig.smmu.get(0)]).toEqual([0, 0, 1]);
    expect(rig.warnings.at(-1)).toMatch('0 bytes stay allocated');
  });
});
