// SPDX-License-Identifier: Apache-2.0
// Message-based SPIs: the driver's MSI domain, its doorbell, and what firmware says of both.

import {
  DOORBELL_PROT,
  IRQ_DOMAIN_FLAG,
  LinuxError,
  PlatformDevice,
  createHost,
  createMsiDomain,
  msiDomainAllocIrqs,
  msiDomainFreeIrqs,
} from '@irqkit/core';
import type { Device, Host, IrqDomain, MsiDesc, MsiMsg } from '@irqkit/core';
import { GicV3Driver, gicV3, gicV3Description } from '@irqkit/gic-v3';
import { GICD, Machine, gicNode } from './support/machine.js';
import type { MachineFacts } from './support/machine.js';
import { firmwareOf, node } from './support/tree.js';

const mbis = (...ranges: number[]): MachineFacts => ({ cells: { 'msi-controller': [], 'mbi-ranges': ranges } });
/** RK3566: 24 SPIs from INTID 296, and an alias of the message registers. */
const RK3566: MachineFacts = {
  silicon: { GICD_TYPER: 0x037a_000a },
  cells: { 'msi-controller': [], 'mbi-ranges': [0x128, 0x18], 'mbi-alias': [0, 0xfd41_0000] },
};

interface Rig {
  readonly machine: Machine;
  readonly host: Host;
  readonly driver: GicV3Driver;
}

function start(facts: MachineFacts): Rig {
  const machine = new Machine(facts);
  const host = createHost({ firmware: firmwareOf(machine.node), plugins: [gicV3], bus: machine.bus });
  return { machine, host, driver: host.drivers[0].instance as GicV3Driver };
}

/** A platform device with messages it can write. */
function device(
  rig: Rig,
  name = '/device',
): { device: PlatformDevice; messages: MsiMsg[]; enable: (nr: number) => readonly number[] } {
  const messages: MsiMsg[] = [];
  const own = new PlatformDevice(
    rig.host.irqs,
    node({ path: name, mapId: () => ({ controller: rig.machine.node, id: 0 }) }),
  );
  return { device: own, messages, enable: (nr) => own.enableMsi(nr, (i, msg) => (messages[i] = { ...msg })) };
}

/** A device with multi-MSI. */
function blocks(rig: Rig): { alloc: (nr: number) => MsiDesc; free: (desc: MsiDesc) => void; domain: IrqDomain } {
  let number = 0;
  const domain = createMsiDomain(rig.host.irqs, rig.driver.mbiDomain!, {
    name: 'blocks',
    busToken: 'pci-msi',
    info: { flags: 4, chip: { name: 'MSI' }, hwirqOf: ({ device: { requesterId } }) => requesterId * 64 },
  });
  const alloc = (nr: number): MsiDesc => {
    const owner: Device = {
      name: `device ${number}`,
      node: undefined,
      requesterId: number++,
      msiDeviceId: 0,
      msiDomain: domain,
      iommuGroup: undefined,
      msiTranslation: undefined,
      msiDescs: [],
    };
    return msiDomainAllocIrqs(rig.host.irqs, owner, [
      { index: 0, nrVectors: nr, hardware: { write: () => undefined } },
    ])[0];
  };
  return { domain, alloc, free: (desc) => msiDomainFreeIrqs(rig.host.irqs, desc.device) };
}

describe('R5: the doorbell', () => {
  it('is GICD_SETSPI_NSR, four bytes to write, without remapping', () => {
    const rig = start(mbis(64, 32));
    expect(rig.host.doorbells.all).toEqual([
      { globalDoorbell: GICD + 0x40, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: false },
    ]);
    expect(rig.driver.mbiDomain!.doorbells).toEqual(rig.host.doorbells.all);
    rig.host.teardown();
    expect(rig.host.doorbells.all).toEqual([]);
  });

  it('is that of the alias where firmware names one', () => {
    const rig = start(RK3566);
    expect(rig.host.doorbells.all).toMatchObject([{ globalDoorbell: 0xfd41_0040, irqRemapping: false }]);
    const { messages, enable } = device(rig);
    const [virq] = enable(1);
    expect(messages).toEqual([{ address: 0xfd41_0040, data: 296 }]);
    const ran: number[] = [];
    rig.host.irqs.requestIrq(virq, (_virq, cpu) => ran.push(cpu) > 0, 'device');
    rig.machine.write(messages[0].address, messages[0].data);
    expect(ran).toEqual([0]);
  });

  it('is no one’s where the Distributor has no MBIs, or firmware no msi-controller', () => {
    const without = start({ cells: { 'mbi-ranges': [64, 32] }, silicon: { GICD_TYPER: 0x037b_0007 } });
    expect([without.driver.mbiDomain, without.host.doorbells.all, without.host.log.warnings]).toEqual([
      undefined,
      [],
      [],
    ]);
    expect(start({}).driver.mbiDomain).toBeUndefined();
  });
});

describe('R6: the MSI domain', () => {
  it('is not isolated', () => {
    const rig = start(mbis(64, 32));
    expect(rig.driver.mbiDomain!.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(false);
    expect(rig.host.doorbells.hasIsolatedMsi(device(rig).device)).toBe(false);
    expect(rig.host.doorbells.safe()).toBe(false);
  });
});

describe('vectors', () => {
  it('are edges, lowest SPI first, and move without another message', () => {
    const rig = start(mbis(64, 32));
    const { messages, enable } = device(rig);
    const virqs = enable(3);
    expect(messages.map(({ data }) => data)).toEqual([64, 65, 66]);
    expect(rig.machine.read(GICD + 0xc10)).toBe(0b10_1010);
    const ran: string[] = [];
    virqs.forEach((virq, i) =>
      rig.host.irqs.requestIrq(virq, (_virq, cpu) => ran.push(`${i} on ${cpu}`) > 0, 'device'),
    );
    rig.host.irqs.setAffinity(virqs[1], [1]);
    expect(messages[1]).toEqual({ address: GICD + 0x40, data: 65 });
    for (const { address, data } of messages) rig.machine.write(address, data);
    expect(ran).toEqual(['0 on 0', '1 on 1', '2 on 0']);
  });

  it('come from the next range when one is full, then there are none: ENOSPC', () => {
    const rig = start(mbis(40, 2, 100, 1));
    const first = device(rig, '/first');
    first.enable(2);
    const second = device(rig, '/second');
    second.enable(1);
    expect(second.messages[0].data).toBe(100);
    expect(() => device(rig, '/third').enable(1)).toThrow('(ENOSPC)');
    first.device.disableMsi();
    const fourth = device(rig, '/fourth');
    fourth.enable(1);
    expect(fourth.messages[0].data).toBe(40);
  });

  it('in blocks are powers of two, at multiples of their size: the low bits of the data are the vector’s', () => {
    const rig = start(mbis(44, 20));
    const { alloc, free } = blocks(rig);
    const dataOf = ({ msg }: MsiDesc): number => msg.data;
    expect(dataOf(alloc(1))).toBe(44);
    const eight = alloc(8);
    expect(dataOf(eight)).toBe(48);
    expect(dataOf(alloc(2))).toBe(46);
    expect(dataOf(alloc(4))).toBe(56);
    expect(() => alloc(8)).toThrow('(ENOSPC)');
    free(eight);
    expect(dataOf(alloc(8))).toBe(48);
  });

  it('leave nothing behind when the parent refuses one', () => {
    const rig = start(mbis(64, 4));
    rig.host.irqs.createMapping({ controller: rig.machine.node, args: [0, 34, 4] });
    const before = rig.host.irqs.all.length;
    expect(() => device(rig).enable(4)).toThrow('(EEXIST)');
    expect(rig.host.irqs.all).toHaveLength(before);
    const again = device(rig, '/again');
    again.enable(2);
    expect(again.messages.map(({ data }) => data)).toEqual([64, 65]);
  });

  it('may be extended SPIs', () => {
    const rig = start({ ...mbis(4096, 32), silicon: { GICD_TYPER: 0x037a_0107 } });
    const { messages, enable } = device(rig);
    const [virq] = enable(1);
    let count = 0;
    rig.host.irqs.requestIrq(virq, () => ++count > 0, 'device');
    rig.machine.write(messages[0].address, messages[0].data);
    expect([messages[0].data, count]).toEqual([4096, 1]);
  });
});

describe('ranges that cannot be', () => {
  const wrong: readonly (readonly [string, readonly number[]])[] = [
    ['no pairs', [64]],
    ['none', []],
    ['empty', [64, 0]],
    ['SGIs and PPIs', [16, 32]],
    ['beyond INTID 1019', [1000, 21]],
    ['beyond the extended range', [5119, 2]],
    ['overlapping', [64, 32, 95, 1]],
    ['not implemented', [250, 10]],
    ['extended and not implemented', [4096, 32]],
  ];

  it.each(wrong)('%s: EINVAL, and the GIC goes on without MBIs', (_name, ranges) => {
    const rig = start({ ...mbis(...ranges) });
    expect(rig.driver.mbiDomain).toBeUndefined();
    expect(rig.host.log.warnings).toHaveLength(1);
    expect(rig.host.log.warnings[0]).toMatch(/^no message-based SPIs: \/intc@8000000: .* \(EINVAL\)$/);
    expect(rig.host.doorbells.all).toEqual([]);
    expect(rig.host.irqs.createMapping({ controller: rig.machine.node, args: [0, 1, 4] })).toBeGreaterThan(0);
  });

  it('are errors of the description, where firmware alone tells', () => {
    for (const [, ranges] of wrong.slice(0, 7)) {
      const findings = gicV3Description.check!(gicNode(mbis(...ranges)));
      expect(findings).toMatchObject([{ rule: 'gic-v3-mbi', severity: 'error', property: 'mbi-ranges' }]);
      expect(gicV3Description.msi!(gicNode(mbis(...ranges)), {}).doorbells).toEqual([]);
    }
  });
});

describe('the description', () => {
  it('says of a GIC with MBIs what the driver does', () => {
    const description = gicV3Description.msi!(gicNode(RK3566), {});
    expect(description).toMatchObject({
      doorbells: [{ globalDoorbell: 0xfd41_0040, sizeBytes: 4, irqRemapping: false }],
      isolation: { isolated: false },
      nrVectors: 24,
      parentVectors: { first: 296, count: 24 },
    });
    expect(description.doorbells).toEqual(start(RK3566).host.doorbells.all);
    expect(gicV3Description.check!(gicNode(RK3566))).toEqual([]);
  });

  it('says of one without that it is no MSI controller', () => {
    expect(gicV3Description.msi!(gicNode(), {})).toMatchObject({ doorbells: [], nrVectors: 0 });
    expect(gicV3Description.check!(gicNode())).toEqual([]);
  });

  it('finds what Linux would trip over', () => {
    const rules = (facts: MachineFacts): string[] =>
      gicV3Description.check!(gicNode(facts)).map(({ rule, severity }) => `${rule} ${severity}`);
    expect(rules({ cells: { '#interrupt-cells': [1] } })).toEqual(['gic-v3-cells error']);
    expect(rules({ cells: { '#redistributor-regions': [2] } })).toEqual(['gic-v3-frames error']);
    expect(rules({ cells: { 'redistributor-stride': [0, 0x1_0000] } })).toEqual(['gic-v3-stride error']);
    expect(rules({ cells: { 'mbi-ranges': [64, 32] } })).toEqual(['gic-v3-mbi warning']);
    const bare = node({
      path: '/intc',
      reg: [GICD, 0x1_0000, 0x80a_0000, 0x4_0000],
      cells: { '#interrupt-cells': [3] },
    });
    expect(gicV3Description.check!(bare).map(({ rule }) => rule)).toEqual(['gic-v3-controller']);
  });

  it('an alias that no bus passes on is an error', () => {
    const bus = node({ path: '/soc', parent: node({ path: '/' }) });
    const gic = node({
      path: '/soc/intc',
      parent: bus,
      reg: [GICD, 0x1_0000, 0x80a_0000, 0x4_0000],
      cells: {
        'interrupt-controller': [],
        '#interrupt-cells': [3],
        'msi-controller': [],
        'mbi-ranges': [64, 1],
        'mbi-alias': [0x1000],
      },
    });
    const [finding] = gicV3Description.check!(gic);
    expect([finding.property, finding.message]).toEqual(['mbi-alias', '/soc/intc: mbi-alias leads nowhere (ENXIO)']);
    expect(() => gicV3Description.msi!(gic, {})).toThrow(LinuxError);
  });
});
