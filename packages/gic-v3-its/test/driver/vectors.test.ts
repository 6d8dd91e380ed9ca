// SPDX-License-Identifier: Apache-2.0
// Vectors through the frameworks: enabling, moving, sharing, failing. Rules R4-R10 of the requirements.

import { DOORBELL_PROT, IRQ_DOMAIN_FLAG, PlatformDevice, lookupDoorbell, physAddr } from '@irqkit/core';
import type { Host, Iova, MsiDoorbellInfo } from '@irqkit/core';
import { caught } from '@irqkit-test/caught';
import { ITS_BASE, Rig, node } from './rig.js';
import type { FakeIts, Verdict } from './fake-its.js';

const TRANSLATER = ITS_BASE + 0x1_0040;
const SECOND_TRANSLATER = TRANSLATER + 0x100_0000;
const PRE_ITS = [0x5800_0000, 0x20_0000];

function icids(its: FakeIts): Record<string, number> {
  return Object.fromEntries([...its.events].map(([event, { icid }]) => [event, icid]));
}

describe('doorbells and isolation', () => {
  test('R4: the doorbell of a vector is found at the ITS level, and is that of its own ITS', () => {
    const rig = new Rig({ its: [{}, {}] });
    const host = rig.start();
    const [near] = rig.device(host, 0x10).enable(1);
    const [far] = rig.device(host, 0x10, { its: 1 }).enable(1);
    const doorbell = { sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true };
    expect(lookupDoorbell(host.irqs.irqData(near))).toEqual({ ...doorbell, globalDoorbell: TRANSLATER });
    expect(lookupDoorbell(host.irqs.irqData(far))).toEqual({ ...doorbell, globalDoorbell: SECOND_TRANSLATER });
  });

  test('R5: each ITS registers GITS_TRANSLATER, 4 bytes, remapping; a pre-ITS its window, without', () => {
    const rig = new Rig({ its: [{}, { preIts: PRE_ITS }] });
    const host = rig.start();
    expect(host.doorbells.all).toEqual([
      { globalDoorbell: TRANSLATER, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true },
      { globalDoorbell: 0x5800_0000, sizeBytes: 0x20_0000, prot: DOORBELL_PROT, irqRemapping: false },
    ]);
    expect(host.doorbells.safe()).toBe(false);
  });

  test('R5: behind a pre-ITS a message goes to base + DeviceID << 2, and the window limits DeviceIDs', () => {
    const rig = new Rig({ its: [{ preIts: [0x5800_0000, 0x1000] }] });
    const host = rig.start();
    const device = rig.device(host, 0x103);
    device.enable(2);
    expect(device.written).toEqual([
      { index: 0, address: 0x5800_040c, data: 0 },
      { index: 1, address: 0x5800_040c, data: 1 },
    ]);
    expect(caught(() => rig.device(host, 0x400).enable(1)).message).toBe(
      '/intc@8000000/its@8080000: no room for DeviceID 0x400 (ENOSPC)',
    );
  });

  test('R6: the domain of an ITS isolates, that of one behind a pre-ITS does not', () => {
    const rig = new Rig({ its: [{}, { preIts: PRE_ITS }] });
    const host = rig.start();
    const [isolated, not] = [rig.device(host, 1), rig.device(host, 1, { its: 1 })];
    expect(isolated.msiDomain.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(true);
    expect(not.msiDomain.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(false);
    expect(host.doorbells.hasIsolatedMsi(isolated)).toBe(true);
    expect(host.doorbells.hasIsolatedMsi(not)).toBe(false);
  });

  test('R4 R5 R6: with two ITSs, domain, DeviceID and doorbell follow msi-map', () => {
    const rig = new Rig({ its: [{}, {}] });
    const host = rig.start();
    const at = (its: number, id: number): PlatformDevice =>
      new PlatformDevice(
        host.irqs,
        node({ path: `/device@${id}`, mapId: () => ({ controller: rig.itsNodes[its], id }) }),
      );
    const messages: unknown[] = [];
    at(0, 0x21).enableMsi(1, (_index, { address, data }) => void messages.push({ address, data }));
    at(1, 0x22).enableMsi(1, (_index, { address, data }) => void messages.push({ address, data }));
    expect(messages).toEqual([
      { address: TRANSLATER, data: 0 },
      { address: SECOND_TRANSLATER, data: 0 },
    ]);
    expect([...rig.its[0].devices.keys()]).toEqual([0x21]);
    expect([...rig.its[1].devices.keys()]).toEqual([0x22]);
    // One space of LPIs for both.
    expect(rig.its[0].events.get('33/0')?.intid).toBe(8192);
    expect(rig.its[1].events.get('34/0')?.intid).toBe(8224);
  });
});

describe('affinity', () => {
  test('R10: a move issues MOVI and leaves the message unchanged', () => {
    const rig = new Rig();
    const host = rig.start();
    const device = rig.device(host, 0x18);
    const [virq] = device.enable(1);
    const written = device.written.length;
    host.irqs.setAffinity(virq, [1]);
    expect(icids(rig.its[0])).toEqual({ '24/0': 1 });
    expect(device.written).toHaveLength(written);
    expect(host.irqs.irqData(virq).common.effectiveAffinity).toEqual([1]);
  });

  test('R8: a move to where it is already issues nothing', () => {
    const rig = new Rig();
    const host = rig.start();
    const [virq] = rig.device(host, 0x18).enable(1);
    const { length } = rig.its[0].commands;
    host.irqs.setAffinity(virq, [0]);
    expect(rig.its[0].commands).toHaveLength(length);
  });

  test('new vectors go to the processor with the fewest, over all ITSs; so do moves among several', () => {
    const rig = new Rig({ nrCpus: 3, its: [{}, {}] });
    const host = rig.start();
    const [a, b, c, d] = rig.device(host, 0x18).enable(4);
    expect(icids(rig.its[0])).toEqual({ '24/0': 0, '24/1': 1, '24/2': 2, '24/3': 0 });
    rig.device(host, 0x20, { its: 1 }).enable(1);
    expect(icids(rig.its[1])).toEqual({ '32/0': 1 });
    host.irqs.setAffinity(b, [0]);
    host.irqs.setAffinity(c, [0]);
    expect(icids(rig.its[0])).toEqual({ '24/0': 0, '24/1': 0, '24/2': 0, '24/3': 0 });
    host.irqs.setAffinity(a, [0, 1, 2]);
    host.irqs.setAffinity(d, [1, 2]);
    // 2 has none, then 1 and 2 have one each: the lower one
    expect(icids(rig.its[0])).toEqual({ '24/0': 2, '24/1': 0, '24/2': 0, '24/3': 1 });
  });

  test('EINVAL for processors that are offline', () => {
    const rig = new Rig({ nrCpus: 2, offline: [1] });
    const host = rig.start();
    const [virq] = rig.device(host, 0x18).enable(1);
    expect(caught(() => host.irqs.setAffinity(virq, [1])).message).toBe(
      '/intc@8000000/its@8080000: LPI 8192: none of the processors is online (EINVAL)',
    );
    expect(icids(rig.its[0])).toEqual({ '24/0': 0 });
  });

  test('a processor that goes loses its LPIs to the others; one that comes has its collection mapped again', () => {
    const rig = new Rig({ nrCpus: 3 });
    const host = rig.start();
    const [its] = rig.its;
    const [, one, two] = rig.device(host, 0x18).enable(3);
    host.irqs.setAffinity(two, [1]);
    host.irqs.setAffinity(one, [1, 2]);
    host.irqs.setAffinity(one, [1]);
    rig.plug(1, false);
    // Both were for processor 1 alone: that wish is broken
    expect(icids(its)).toEqual({ '24/0': 0, '24/1': 2, '24/2': 0 });
    expect(host.irqs.irqData(one).common.affinity).toEqual([0, 2]);
    const from = its.commands.length;
    rig.plug(1, true);
    expect(its.commands.slice(from).map(({ name, icid, valid }) => `${name} ${icid} ${valid}`)).toEqual([
      ...['MAPC 1 true', 'SYNC 0 false', 'INVALL 1 false', 'SYNC 0 false'],
    ]);
    expect(icids(its)).toEqual({ '24/0': 0, '24/1': 2, '24/2': 0 });
    host.irqs.setAffinity(two, [1]);
    expect(icids(its)['24/2']).toBe(1);
  });

  test('a wish that another processor can serve is kept', () => {
    const rig = new Rig({ nrCpus: 3 });
    const host = rig.start();
    const [virq] = rig.device(host, 0x18).enable(1);
    host.irqs.setAffinity(virq, [1, 2]);
    rig.plug(1, false);
    expect(icids(rig.its[0])).toEqual({ '24/0': 2 });
    expect(host.irqs.irqData(virq).common.affinity).toEqual([1, 2]);
  });

  test('a processor that comes for the first time is given its LPI tables first', () => {
    const rig = new Rig({ nrCpus: 2, offline: [1], its: [{}, {}] });
    const host = rig.start();
    expect(rig.redistributors[1].ctlr & 1n).toBe(0n);
    rig.plug(1, true);
    expect(rig.redistributors[1].ctlr & 1n).toBe(1n);
    expect(rig.its.map(({ collections }) => collections.size)).toEqual([2, 2]);
    rig.device(host, 1).enable(2);
    expect(icids(rig.its[0])).toEqual({ '1/0': 0, '1/1': 1 });
  });

  test('an ITS that refuses to move an LPI off a processor is warned of, and the others move', () => {
    const rig = new Rig();
    const host = rig.start();
    const virqs = rig.device(host, 0x18).enable(4);
    for (const virq of virqs) host.irqs.setAffinity(virq, [1]);
    rig.its[0].verdict = ({ name, eventId }) => (name === 'MOVI' && eventId === 1 ? 'stall' : 'take');
    rig.plug(1, false);
    expect(icids(rig.its[0])).toEqual({ '24/0': 0, '24/1': 1, '24/2': 0, '24/3': 0 });
    expect(host.log.warnings).toHaveLength(1);
  });
});

describe('DeviceIDs', () => {
  test.each([
    [1, 0, 1, 256],
    [2, 0, 2, 256],
    [3, 1, 4, 256],
    [32, 4, 32, 512],
    [33, 5, 64, 1024],
    [2048, 10, 2048, 24576],
  ])('%d vectors: ITT of %d + 1 bits, %d LPIs', (nr, size, nrLpis, ittBytes) => {
    const rig = new Rig();
    const host = rig.start();
    // So that pages of ITTs and the table are there already
    rig.device(host, 0x10).enable(1);
    const before = rig.memory.liveBytes;
    rig.device(host, 0x18).enable(nr);
    expect(rig.its[0].devices.get(0x18)?.size).toBe(size);
    rig.device(host, 0x20).enable(1);
    expect(rig.its[0].events.get('32/0')?.intid).toBe(8193 + nrLpis);
    const page = Math.max(Math.ceil(ittBytes / 4096) * 4096, 4096);
    expect(rig.memory.liveBytes - before).toBe(ittBytes === 256 ? 0 : page);
  });

  test('PCI aliases share one: sized for all of them, mapped once, unmapped with the last', () => {
    const rig = new Rig();
    const host = rig.start();
    const [its] = rig.its;
    const one = rig.device(host, 0x200, { aliasVectors: 6 });
    const two = rig.device(host, 0x200, { aliasVectors: 6 });
    one.enable(2);
    two.enable(3);
    expect(its.devices.get(0x200)?.size).toBe(2);
    expect([...its.events].map(([event, { intid }]) => `${event} ${intid}`)).toEqual([
      ...['512/0 8192', '512/1 8193', '512/2 8194', '512/3 8195', '512/4 8196'],
    ]);
    one.disable();
    expect(its.devices.has(0x200)).toBe(true);
    expect([...its.events.keys()]).toEqual(['512/2', '512/3', '512/4']);
    // What was given back is taken again.
    one.enable(1);
    expect(one.written[one.written.length - 1]).toMatchObject({ data: 0 });
    one.disable();
    two.disable();
    expect(its.devices.has(0x200)).toBe(false);
  });

  test('ENOSPC where an alias finds no room left, and the others go on', () => {
    const rig = new Rig();
    const host = rig.start();
    rig.device(host, 0x200).enable(2);
    expect(caught(() => rig.device(host, 0x200).enable(1)).message).toBe(
      '/intc@8000000/its@8080000: no room for 1 vectors of DeviceID 0x200 (ENOSPC)',
    );
    expect(rig.its[0].events.size).toBe(2);
    expect(rig.its[0].devices.has(0x200)).toBe(true);
  });

  test('DeviceID 0 and platform devices are given 32 at least: nobody knows who else uses them', () => {
    const rig = new Rig();
    const host = rig.start();
    rig.device(host, 0).enable(1);
    expect(rig.its[0].devices.get(0)?.size).toBe(4);
    const platform = new PlatformDevice(
      host.irqs,
      node({ path: '/device', mapId: () => ({ controller: rig.itsNodes[0], id: 7 }) }),
    );
    platform.enableMsi(3, () => undefined);
    expect(rig.its[0].devices.get(7)?.size).toBe(4);
    platform.disableMsi();
    expect([...rig.its[0].devices.keys()]).toEqual([0]);
  });

  test('multi-MSI: consecutive LPIs and EventIDs from a multiple of their number', () => {
    const rig = new Rig();
    const host = rig.start();
    const single = rig.device(host, 0x300, { aliasVectors: 16 });
    single.enable(1);
    const device = rig.device(host, 0x300, { aliasVectors: 16 });
    device.enableBlock(8);
    expect(device.written).toEqual([{ index: 0, address: TRANSLATER, data: 8 }]);
    expect([...rig.its[0].events.keys()].slice(1)).toEqual([8, 9, 10, 11, 12, 13, 14, 15].map((n) => `768/${n}`));
  });

  test('a level 2 page for each stretch of DeviceIDs, with the first device there', () => {
    const rig = new Rig();
    const host = rig.start();
    rig.device(host, 0).enable(1);
    const before = rig.memory.live.length;
    // 8192 entries of 8 bytes in 64 KiB
    rig.device(host, 8191).enable(1);
    // a page of 256-byte ITTs beside the 512-byte one of DeviceID 0
    expect(rig.memory.live).toHaveLength(before + 1);
    rig.device(host, 8192).enable(1);
    expect(rig.memory.live).toHaveLength(before + 2);
    rig.device(host, 8193).enable(1);
    expect(rig.memory.live).toHaveLength(before + 2);
  });

  test('ENOSPC for DeviceIDs, EventIDs and LPIs that are not there', () => {
    const rig = new Rig({ idBits: 14, its: [{ typer: 0x1f_0001_e2b1n }] });
    const host = rig.start();
    const node = '/intc@8000000/its@8080000';
    expect(caught(() => rig.device(host, 0x1_0000).enable(1)).message).toBe(
      `${node}: no room for DeviceID 0x10000 (ENOSPC)`,
    );
    // three bits of EventID
    expect(caught(() => rig.device(host, 0x10).enable(9)).message).toBe(
      `${node}: no room for 16 EventIDs of DeviceID 0x10 (ENOSPC)`,
    );
    for (let id = 0x100; id < 0x100 + 8192 / 8; id++) rig.device(host, id).enable(8);
    expect(caught(() => rig.device(host, 0x10).enable(1)).message).toBe(
      `${node}: no room for 1 LPIs of DeviceID 0x10 (ENOSPC)`,
    );
  });

  test('EINVAL for an interrupt of a device that is not prepared', () => {
    const rig = new Rig();
    const host = rig.start();
    const domain = host.irqs.requireDomain(rig.itsNodes[0], 'msi-parent');
    expect(caught(() => host.irqs.allocIrqs(domain, 1, { device: rig.device(host, 9) })).message).toBe(
      '/intc@8000000/its@8080000: asked for an interrupt of a device that is not prepared (EINVAL)',
    );
  });

  test('an interrupt ends at the GIC', () => {
    const rig = new Rig();
    const host = rig.start();
    const [virq] = rig.device(host, 0x18).enable(1);
    host.irqs.requestIrq(virq, () => true, 'test');
    expect(host.irqs.handleDomainIrq(host.irqs.requireDomain(rig.gicNode, 'wired'), 8192)).toBe(true);
    expect(rig.eois).toEqual([8192]);
    expect(host.irqs.irqDesc(virq).counts[0]).toBe(1);
  });
});

describe('R7: enabling 32 vectors, failing each step in turn', () => {
  interface Step {
    readonly rig: Rig;
    readonly host: Host;
    /** Calls to MsiTranslation.bind that still succeed. */
    bindings: number;
    bound: number;
  }

  /** A machine with another device at work, so that every page of tables that 32 vectors need is there. */
  function machine(): Step {
    const rig = new Rig();
    const host = rig.start();
    rig.device(host, 0x10).enable(32);
    return { rig, host, bindings: Infinity, bound: 0 };
  }

  function state({ rig, host, bound }: Step): unknown {
    const [its] = rig.its;
    return {
      devices: [...its.devices],
      events: [...its.events],
      collections: [...its.collections],
      memory: rig.memory.liveBytes,
      config: [...rig.memory.at(Number(rig.redistributors[0].propbaser & 0xf_ffff_ffff_f000n), 0x200)],
      lpis: [...rig.lpis],
      irqs: host.irqs.all.map(({ virq }) => virq),
      mapped: rig.itsNodes.map((each) => host.irqs.requireDomain(each, 'msi-parent').nrMapped),
      bound,
    };
  }

  /** Fails at the k-th time for every k until it succeeds; what follows each failure must find everything as it was. */
  function failEach(arm: (step: Step, k: number) => void, disarm: (step: Step) => void): number {
    for (let k = 0; ; k++) {
      const step = machine();
      const device = step.rig.device(step.host, 0x18, {
        translation: {
          bind(_doorbell: MsiDoorbellInfo) {
            if (step.bindings-- <= 0) throw new Error('no binding');
            step.bound++;
          },
          unbind: () => void step.bound--,
          iovaOf: () => physAddr(0xfff0_0040) as number as Iova,
        },
      });
      const before = state(step);
      arm(step, k);
      let failed = false;
      try {
        device.enable(32);
      } catch (error) {
        failed = true;
        expect(error).not.toBeInstanceOf(AggregateError);
      }
      disarm(step);
      if (!failed) return k;
      expect(state(step)).toEqual(before);
      expect(device.msiDescs).toEqual([]);
      expect(step.host.log.warnings).toEqual([]);
      // The very same LPIs and the ITT are there to be taken.
      device.enable(32);
      expect(step.rig.its[0].events.get('24/31')?.intid).toBe(8192 + 63);
      device.disable();
      expect(state(step)).toEqual(before);
    }
  }

  const verdictAt =
    (verdict: Verdict) =>
    ({ rig }: Step, k: number): void => {
      let left = k;
      rig.its[0].verdict = () => (left-- === 0 ? verdict : 'take');
    };
  const takeAll = ({ rig }: Step): void => {
    rig.its[0].verdict = () => 'take';
  };

  test('memory', () => {
    const nr = failEach(
      ({ rig }, k) => (rig.memory.left = k),
      ({ rig }) => (rig.memory.left = Infinity),
    );
    // The other device's page has room for an ITT of 512 bytes: none is needed.
    expect(nr).toBe(0);
    const step = machine();
    const far = step.rig.device(step.host, 0x8000);
    step.rig.memory.left = 0;
    const before = state(step);
    expect(caught(() => far.enable(32)).message).toBe(
      '/intc@8000000/its@8080000: no memory for the page of the device table with DeviceID 0x8000 (ENOMEM)',
    );
    expect(state(step)).toEqual(before);
    expect(caught(() => step.rig.device(step.host, 0x18).enable(64)).message).toBe(
      '/intc@8000000/its@8080000: no memory for an ITT (ENOMEM)',
    );
    expect(state(step)).toEqual(before);
  });

  test('the k-th command, refused', () => {
    // MAPD, then MAPTI and SYNC 32 times
    expect(failEach(verdictAt('stall'), takeAll)).toBe(65);
  });

  test('an interrupt of the GIC', () => {
    const nr = failEach(
      ({ rig }, k) => (rig.gicLeft = k),
      ({ rig }) => (rig.gicLeft = Infinity),
    );
    expect(nr).toBe(32);
  });

  test('a binding of the doorbell', () => {
    const nr = failEach(
      (step, k) => (step.bindings = k),
      (step) => (step.bindings = Infinity),
    );
    expect(nr).toBe(32);
  });

  test('LPIs', () => {
    const rig = new Rig({ idBits: 14 });
    const host = rig.start();
    const device = rig.device(host, 0x18);
    for (let id = 0x100; id < 0x100 + 3; id++) rig.device(host, id).enable(2048);
    rig.device(host, 0x200).enable(2047);
    const step = { rig, host, bindings: Infinity, bound: 0 };
    const before = state(step);
    expect(caught(() => device.enable(32)).message).toBe(
      '/intc@8000000/its@8080000: no room for 32 LPIs of DeviceID 0x18 (ENOSPC)',
    );
    expect(state(step)).toEqual(before);
  });

  test('the k-th command, at which the ITS hangs until later', () => {
    for (const k of [0, 1, 2, 3, 31, 32, 63, 64]) {
      const step = machine();
      const device = step.rig.device(step.host, 0x18);
      const before = state(step);
      const [its] = step.rig.its;
      let left = k;
      its.verdict = () => (left-- <= 0 ? 'hang' : 'take');
      expect(caught(() => device.enable(32)).code).toBe('ETIMEDOUT');
      its.wake();
      device.enable(32);
      expect(its.events.get('24/31')?.intid).toBe(8192 + 63);
      device.disable();
      expect(state(step)).toEqual(before);
    }
  });
});
