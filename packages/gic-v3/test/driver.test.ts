// SPDX-License-Identifier: Apache-2.0
// The driver on the model, and beside what Linux 6.1 did to QEMU's GICv3 (shared data, replay/D).

import { IRQ_TYPE, LinuxError, REDISTRIBUTORS, createHost, definePlugin } from '@irqkit/core';
import type { Host, ProbeContext, Redistributors } from '@irqkit/core';
import { GicV3Driver, gicV3, regs } from '@irqkit/gic-v3';
import { GICD, GICR, Machine } from './support/machine.js';
import type { Access, MachineFacts } from './support/machine.js';
import { LPI_ENABLED, PROPBASE, enableLpis } from './support/linux-setup.js';
import { firmwareOf, node } from './support/tree.js';

interface Rig {
  readonly machine: Machine;
  readonly host: Host;
  readonly driver: GicV3Driver;
  readonly redistributors: Redistributors;
}

/** A driver beside the GIC's that takes what this offers. */
const child = (found: (redistributors: Redistributors) => void) =>
  definePlugin({
    name: 'child',
    coreApi: 1,
    irqChips: [
      {
        compatible: ['test,child'],
        useFactory: ({ node: own, supplier }: ProbeContext) => {
          found(supplier(own.parent!, REDISTRIBUTORS));
          return {};
        },
      },
    ],
  });

function start(facts: MachineFacts = {}, machine = new Machine(facts)): Rig {
  let redistributors: Redistributors | undefined;
  const its = node({ path: '/intc@8000000/child', compatible: ['test,child'], parent: machine.node });
  const host = createHost({
    firmware: firmwareOf(its, machine.node),
    plugins: [child((found) => (redistributors = found)), gicV3],
    bus: machine.bus,
  });
  const driver = host.drivers.map(({ instance }) => instance).find((each) => each instanceof GicV3Driver)!;
  return { machine, host, driver, redistributors: redistributors! };
}

/** An interrupt with a handler that counts on which processors it ran. */
function request({ host, machine }: Rig, args: readonly number[], work?: () => void): { virq: number; ran: number[] } {
  const ran: number[] = [];
  const virq = host.irqs.createMapping({ controller: machine.node, args });
  host.irqs.requestIrq(
    virq,
    (_virq, cpu) => {
      ran.push(cpu);
      work?.();
      return true;
    },
    'test',
  );
  return { virq, ran };
}

const writes = (journal: readonly Access[]): Access[] => journal.filter(([op]) => op === 'w');

/** `w` of `value` at every offset from `first` to `last`, `step` apart. */
function run(base: number, first: number, last: number, step: number, value: number, size = 4): Access[] {
  const count = (last - first) / step + 1;
  return Array.from({ length: count }, (_, i) => ['w', base + first + i * step, value, size]);
}

function pairs(base: number, first: readonly [number, number], count: number, value: number): Access[] {
  return Array.from({ length: count }, (_, i) =>
    first.map((offset): Access => ['w', base + offset + i * 4, value, 4]),
  ).flat();
}

describe('bringing up', () => {
  it('writes what Linux 6.1 writes, in its order', () => {
    const { machine } = start();
    // replay/D/mmio.jsonl, n 23 to 659, 669 to 693 and 1016 to 1040.
    const perCpu = (rd: number): Access[] => [
      ['w', rd + 0x14, 0x4, 4],
      ['w', rd + 0x1_0080, 0xffff_ffff, 4],
      ['w', rd + 0x1_0380, 0xffff_ffff, 4],
      ['w', rd + 0x1_0180, 0xffff_ffff, 4],
      ...run(rd, 0x1_0400, 0x1_041c, 4, 0xa0a0_a0a0),
    ];
    expect(writes(machine.journal)).toEqual([
      ['w', GICD, 0, 4],
      ...run(GICD, 0x84, 0x9c, 4, 0xffff_ffff),
      ...run(GICD, 0xc08, 0xc3c, 4, 0),
      ...run(GICD, 0x420, 0x4fc, 4, 0xa0a0_a0a0),
      ...pairs(GICD, [0x384, 0x184], 7, 0xffff_ffff),
      ['w', GICD, 0x13, 4],
      ...run(GICD, 0x6100, 0x67f8, 8, 0, 8),
      ...perCpu(GICR),
      ...perCpu(GICR + 0x2_0000),
    ]);
  });

  it('sets the system registers of each processor up as Linux does', () => {
    const machine = new Machine();
    const seen: string[] = [];
    const names = new Map(
      Object.entries(regs).flatMap(([name, each]) =>
        typeof each === 'object' && 'sysreg' in each ? [[each.sysreg, name] as const] : [],
      ),
    );
    machine.cpus.onSysreg = (op, register, lo) => {
      if (op === 'w') seen.push(`${machine.cpus.current} ${names.get(register)} ${lo}`);
    };
    start({}, machine);
    const own = (cpu: number): string[] =>
      [
        // Whether Group 0 can be reached: the lowest mask of five bits, and back.
        'ICC_PMR_EL1 8',
        'ICC_PMR_EL1 0',
        'ICC_PMR_EL1 240',
        'ICC_BPR1_EL1 0',
        'ICC_CTLR_EL1 0',
        'ICC_AP0R_EL1 0',
        'ICC_AP1R_EL1 0',
        'ICC_IGRPEN1_EL1 1',
      ].map((each) => `${cpu} ${each}`);
    expect(seen).toEqual([...own(0), ...own(1)]);
  });

  it('reaches extended SPIs and PPIs too', () => {
    const { machine } = start({ silicon: { GICD_TYPER: 0x037a_0107, GICR_TYPER: 0x1100_0001 } });
    const journal = writes(machine.journal);
    for (const expected of [
      ['w', GICD + 0x1400, 0xffff_ffff, 4],
      ['w', GICD + 0x1000, 0xffff_ffff, 4],
      ['w', GICD + 0x3004, 0, 4],
      ['w', GICD + 0x201c, 0xa0a0_a0a0, 4],
      ['w', GICD + 0x80f8, 0, 8],
      ['w', GICR + 0x1_0088, 0xffff_ffff, 4],
      ['w', GICR + 0x1_0388, 0xffff_ffff, 4],
      ['w', GICR + 0x1_045c, 0xa0a0_a0a0, 4],
    ])
      expect(journal).toContainEqual(expected);
  });

  it('finds each Redistributor by its affinity, over regions and strides', () => {
    const { redistributors, machine } = start({
      mpidr: [0x101, 0x1_0000, 0x2_0000_0000],
      reg: [GICD, 0x1_0000, GICR, 0x8_0000, 0x900_0000, 0x4_0000],
      cells: { '#redistributor-regions': [2], 'redistributor-stride': [0, 0x4_0000] },
    });
    expect(redistributors.byCpu.map(({ cpu, processorNumber, frame }) => [cpu, processorNumber, frame.base])).toEqual([
      [0, 0, GICR],
      [1, 1, GICR + 0x4_0000],
      [2, 2, 0x900_0000],
    ]);
    expect(redistributors).toMatchObject({ idBits: 16, hasLpis: true, online: [0, 1, 2] });
    expect(machine.read(0x900_0014)).toBe(0);
  });

  it('leaves GICR_WAKER alone on MSM8996', () => {
    const compatible = ['qcom,msm8996-gic-v3', 'arm,gic-v3'];
    const { machine } = start({ compatible, silicon: { GICR_WAKER: 0 } });
    expect(machine.journal.filter(([, address]) => address === GICR + 0x14)).toEqual([]);
  });

  it.each<[string, (machine: Machine) => void, string]>([
    ['a Distributor whose writes never end', (machine) => stick(machine, GICD, 0x8000_0000), 'ETIMEDOUT'],
    ['a Redistributor whose writes never end', (machine) => stick(machine, GICR, 8), 'ETIMEDOUT'],
    ['a Redistributor that does not wake', (machine) => stick(machine, GICR + 0x14, 4), 'ETIMEDOUT'],
    ['no GICv3', (machine) => stick(machine, GICD + 0xffe8, 0xf0), 'ENODEV'],
    ['no Redistributor', (machine) => stick(machine, GICR + 0xffe8, 0xf0), 'ENODEV'],
    ['no system registers', (machine) => Object.assign(machine.cpus, { sysregs: undefined }), 'ENODEV'],
  ])('%s: the probe fails, and what it did is undone', (_name, damage, code) => {
    const machine = new Machine();
    damage(machine);
    let thrown: unknown;
    try {
      start({}, machine);
    } catch (error) {
      thrown = error;
    }
    expect(LinuxError.is(thrown) && [thrown.code, thrown.message.startsWith('/intc@8000000: ')]).toEqual([code, true]);
    expect(machine.model.frames[0].read(0, 4, machine.cpus.requester)).toBe(0x50);
  });

  function stick(machine: Machine, address: number, bits: number): void {
    const read = machine.read.bind(machine);
    machine.read = (at, size) => (at === address ? (read(at, size) | bits) >>> 0 : read(at, size));
  }

  it('teardown disables the Distributor and every processor, and a second host starts again', () => {
    const rig = start();
    const { virq } = request(rig, [0, 4, IRQ_TYPE.LEVEL_HIGH]);
    rig.host.irqs.freeIrq(virq, rig.host.irqs.irqDesc(virq).actions[0].handler);
    rig.host.irqs.freeIrqs(virq, 1);
    rig.host.teardown();
    expect(rig.machine.read(GICD)).toBe(0x50);
    for (const cpu of [0, 1]) {
      expect(rig.machine.mrs(cpu, regs.ICC_IGRPEN1_EL1)).toBe(0);
      expect(rig.machine.read(rig.machine.rd(cpu) + 0x14)).toBe(6);
    }
    const again = start({}, rig.machine);
    const { ran } = request(again, [0, 4, IRQ_TYPE.EDGE_RISING]);
    rig.machine.model.sink.setPending(36);
    expect(ran).toEqual([0]);
  });
});

describe('interrupts', () => {
  it('an SPI is routed and enabled when it is requested, and moves as Linux moves one', () => {
    const rig = start();
    rig.machine.journal.length = 0;
    const wire = rig.machine.model.line([0, 4, 4])!;
    const { virq, ran } = request(rig, [0, 4, IRQ_TYPE.LEVEL_HIGH], () => wire.set(false));
    expect(writes(rig.machine.journal)).toEqual([
      ['w', GICD + 0x6120, 0, 8],
      ['w', GICD + 0x104, 0x10, 4],
    ]);
    wire.set(true);
    expect(ran).toEqual([0]);
    rig.machine.journal.length = 0;
    rig.host.irqs.setAffinity(virq, [1]);
    // n 4451 to 4458 of the capture, for another SPI.
    expect(rig.machine.journal).toEqual([
      ['r', GICD + 0x104, 0x10, 4],
      ['w', GICD + 0x184, 0x10, 4],
      ['r', GICD, 0x53, 4],
      ['w', GICD + 0x6120, 1, 8],
      ['w', GICD + 0x104, 0x10, 4],
    ]);
    expect(rig.host.irqs.irqData(virq).common.effectiveAffinity).toEqual([1]);
    wire.set(true);
    expect(ran).toEqual([0, 1]);
  });

  it('what arrives while it is disabled comes when it is enabled', () => {
    const rig = start();
    const { virq, ran } = request(rig, [0, 5, IRQ_TYPE.EDGE_RISING]);
    rig.host.irqs.disable(virq);
    rig.machine.model.sink.setPending(37);
    expect(ran).toEqual([]);
    rig.host.irqs.enable(virq);
    expect(ran).toEqual([0]);
  });

  it('types are set as the hardware takes them', () => {
    const rig = start();
    const { virq } = request(rig, [0, 20, IRQ_TYPE.EDGE_RISING]);
    expect(rig.machine.read(GICD + 0xc0c)).toBe(0x200);
    rig.host.irqs.setType(virq, IRQ_TYPE.LEVEL_HIGH);
    expect(rig.machine.read(GICD + 0xc0c)).toBe(0);
    expect(() => rig.host.irqs.setType(virq, IRQ_TYPE.EDGE_FALLING)).toThrow('EINVAL');
    const sgi = rig.host.irqs.createMapping({ controller: rig.machine.node, args: [3] });
    expect(() => rig.host.irqs.setType(sgi, IRQ_TYPE.LEVEL_HIGH)).toThrow('EINVAL');
    rig.host.irqs.setType(sgi, IRQ_TYPE.EDGE_RISING);
    const ppi = rig.host.irqs.createMapping({ controller: rig.machine.node, args: [1, 11, IRQ_TYPE.LEVEL_LOW] });
    rig.host.irqs.setType(ppi, IRQ_TYPE.EDGE_BOTH);
    expect(rig.machine.read(rig.machine.sgi(0) + 0xc04)).toBe(0x0080_0000);
  });

  it('retrigger and extended SPIs use the registers of their range', () => {
    const rig = start({ silicon: { GICD_TYPER: 0x037a_0107 } });
    const { virq, ran } = request(rig, [2, 31, IRQ_TYPE.EDGE_RISING]);
    const { data } = rig.host.irqs.irqDesc(virq);
    expect(data.hwirq).toBe(4127);
    data.chip.retrigger!(data);
    expect(ran).toEqual([0]);
    rig.host.irqs.setAffinity(virq, [1]);
    rig.machine.model.sink.setPending(4127);
    expect(ran).toEqual([0, 1]);
  });

  it('specifiers outside the binding, or of what is not implemented, are EINVAL', () => {
    const { host, machine } = start();
    const wrong = [[], [16], [0, 1], [0, 224, 4], [1, 16, 4], [2, 0, 4], [3, 0, 4], [4, 8192, 1], [0, 988, 4]];
    for (const args of wrong)
      expect(() => host.irqs.createMapping({ controller: machine.node, args })).toThrow('(EINVAL)');
    expect(host.irqs.irqData(host.irqs.createMapping({ controller: machine.node, args: [0, 223, 4, 0] })).hwirq).toBe(
      255,
    );
  });

  it('one that is mapped to nothing is warned of and ended', () => {
    const { host, machine } = start();
    machine.write(GICD + 0x104, 1 << 9);
    machine.write(GICD + 0xc08, 2 << 18);
    machine.model.sink.setPending(41);
    expect(host.log.warnings).toEqual(['/intc@8000000: INTID 41 on CPU 0 is mapped to nothing']);
    expect(machine.mrs(0, regs.ICC_RPR_EL1)).toBe(0xff);
  });

  it('a second root handler is refused', () => {
    const { machine } = start();
    const second = node({ path: '/intc@1', compatible: ['arm,gic-v3'], reg: [GICD, 0x1_0000, GICR, 0x4_0000] });
    expect(() =>
      createHost({ firmware: firmwareOf(machine.node, second), plugins: [gicV3], bus: machine.bus }),
    ).toThrow('(EBUSY)');
  });
});

describe('per-CPU interrupts', () => {
  it('a PPI is enabled on every processor and handled where it rises', () => {
    const { host, machine } = start();
    const virq = host.irqs.createMapping({ controller: machine.node, args: [1, 11, IRQ_TYPE.LEVEL_LOW] });
    const ran: number[] = [];
    const lines = [0, 1].map((cpu) => machine.model.privateLine(cpu, 27)!);
    const handler = (_virq: number, cpu: number): boolean => {
      ran.push(cpu);
      lines[cpu].set(false);
      return true;
    };
    host.irqs.requestPercpuIrq(virq, handler, 'timer');
    lines[1].set(true);
    lines[0].set(true);
    expect(ran).toEqual([1, 0]);
    host.irqs.freePercpuIrq(virq, handler);
    lines[1].set(true);
    expect(ran).toEqual([1, 0]);
    expect(() => host.irqs.setAffinity(virq, [1])).toThrow('(EINVAL)');
  });

  it('IPIs go to clusters by one write each', () => {
    const mpidr = [0, 1, 0x100, 0x1_0001, 0x3_0000_0000, 0x3_0000_0001];
    const { host, machine } = start({ mpidr });
    const virq = host.irqs.createMapping({ controller: machine.node, args: [5] });
    const ran: number[] = [];
    host.irqs.requestPercpuIrq(virq, (_virq, cpu) => ran.push(cpu) > 0, 'IPI');
    const sent: string[] = [];
    machine.cpus.onSysreg = (op, register, lo, hi) => {
      if (op === 'w' && register === regs.ICC_SGI1R_EL1.sysreg) sent.push(`${hi.toString(16)}_${lo.toString(16)}`);
    };
    host.irqs.sendIpi(virq, [0, 1, 2, 3, 4, 5]);
    expect(sent).toEqual(['0_5000003', '0_5010001', '1_5000002', '30000_5000003']);
    expect(ran).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('processors that no SGI can name are warned of', () => {
    const facts = { mpidr: [0, 0x10] };
    expect(start(facts).host.log.warnings).toHaveLength(1);
    const silicon = { GICD_TYPER: 0x077a_0007, ICC_CTLR_EL1: 0x4_8c00 };
    const { host, machine } = start({ ...facts, silicon });
    expect(host.log.warnings).toEqual([]);
    const virq = host.irqs.createMapping({ controller: machine.node, args: [5] });
    const ran: number[] = [];
    host.irqs.requestPercpuIrq(virq, (_virq, cpu) => ran.push(cpu) > 0, 'IPI');
    host.irqs.sendIpi(virq, [0, 1]);
    expect(ran).toEqual([0, 1]);
  });
});

describe('LPIs', () => {
  it('are asked for by number, as an ITS does, and end like any other', () => {
    const rig = start();
    const { host, machine, driver } = rig;
    for (const cpu of [0, 1]) enableLpis(machine, cpu);
    machine.memory.setByte(PROPBASE + 3, LPI_ENABLED);
    const virq = host.irqs.allocIrqs(driver.domain, 2, { hwirq: 8194 });
    expect([0, 1].map((i) => host.irqs.irqData(virq + i).hwirq)).toEqual([8194, 8195]);
    const ran: number[] = [];
    host.irqs.irqDesc(virq + 1).actions.push({ handler: (_virq, cpu) => ran.push(cpu) > 0, name: 'lpi' });
    host.irqs.irqDesc(virq + 1).disableDepth = 0;
    machine.model.lpis.setPending(1, 8195);
    machine.model.lpis.setPending(1, 8195);
    expect(ran).toEqual([1, 1]);
    expect(machine.mrs(1, regs.ICC_RPR_EL1)).toBe(0xff);
  });

  it('are EPERM where there are none, or not so many', () => {
    const { host, driver } = start();
    for (const [hwirq, nr] of [
      [8191, 1],
      [65535, 2],
    ])
      expect(() => host.irqs.allocIrqs(driver.domain, nr, { hwirq })).toThrow('(EPERM)');
    expect(() => host.irqs.allocIrqs(driver.domain, 1, {})).toThrow('(EINVAL)');
    const without = start({ silicon: { GICD_TYPER: 0x0378_0007 } });
    expect(without.redistributors.hasLpis).toBe(false);
    expect(() => without.host.irqs.allocIrqs(without.driver.domain, 1, { hwirq: 8192 })).toThrow('(EPERM)');
  });

  it('may have INTIDs of more than 16 bits', () => {
    const { host, driver } = start({ silicon: { GICD_TYPER: 0x03ba_0007 } });
    const virq = host.irqs.allocIrqs(driver.domain, 1, { hwirq: 2 ** 24 - 1 });
    expect(driver.domain.find(2 ** 24 - 1)?.virq).toBe(virq);
  });
});

describe('CPU hot-unplug', () => {
  it('moves SPIs away, tells ITSs, and puts the processor to sleep; all comes back but affinities', () => {
    const rig = start({ nrCpus: 3 });
    const { host, machine, driver, redistributors } = rig;
    const anywhere = request(rig, [0, 1, IRQ_TYPE.EDGE_RISING]);
    const pinned = request(rig, [0, 2, IRQ_TYPE.EDGE_RISING]);
    host.irqs.setAffinity(anywhere.virq, [1, 2]);
    host.irqs.setAffinity(pinned.virq, [1]);
    const timer = host.irqs.createMapping({ controller: machine.node, args: [1, 11, IRQ_TYPE.LEVEL_LOW] });
    host.irqs.requestPercpuIrq(timer, () => true, 'timer');
    const told: string[] = [];
    const remove = redistributors.onHotplug((cpu, online) => {
      told.push(`${cpu} ${online} awake ${machine.read(machine.rd(cpu) + 0x14)} of ${redistributors.online.join(',')}`);
    });

    driver.setOnline(1, false);
    driver.setOnline(1, false);
    expect(redistributors.online).toEqual([0, 2]);
    expect([machine.read(GICD + 0x6108), machine.read(GICD + 0x6110)]).toEqual([2, 0]);
    expect([machine.read(machine.rd(1) + 0x14), machine.mrs(1, regs.ICC_IGRPEN1_EL1)]).toEqual([6, 0]);
    machine.model.sink.setPending(33);
    machine.model.sink.setPending(34);
    expect([anywhere.ran, pinned.ran]).toEqual([[2], [0]]);
    expect(() => host.irqs.setAffinity(pinned.virq, [1])).toThrow('(EINVAL)');

    driver.setOnline(1, true);
    expect(told).toEqual(['1 false awake 0 of 0,2', '1 true awake 0 of 0,1,2']);
    expect(machine.read(machine.sgi(1) + 0x100)).toBe(1 << 27);
    expect(machine.read(GICD + 0x6108)).toBe(2);
    host.irqs.setAffinity(pinned.virq, [1]);
    machine.model.sink.setPending(34);
    expect(pinned.ran).toEqual([0, 1]);
    remove();
    driver.setOnline(2, false);
    expect(told).toHaveLength(2);
  });

  it('no interrupt that is pending meanwhile is lost', () => {
    const rig = start();
    const { virq, ran } = request(rig, [0, 1, IRQ_TYPE.EDGE_RISING]);
    rig.host.irqs.setAffinity(virq, [1]);
    rig.host.irqs.withIrqsDisabled(() => {
      rig.machine.model.sink.setPending(33);
      rig.driver.setOnline(1, false);
    });
    expect(ran).toEqual([0]);
  });

  it('the last processor stays, unknown ones are EINVAL, and a refusal leaves all as it was', () => {
    const { driver, machine, redistributors } = start();
    expect(() => driver.setOnline(2, false)).toThrow('(EINVAL)');
    const told: string[] = [];
    redistributors.onHotplug((cpu, online) => void told.push(`${cpu} ${online}`));
    const remove = redistributors.onHotplug(() => {
      throw new LinuxError('ETIMEDOUT', '/its: no');
    });
    expect(() => driver.setOnline(1, false)).toThrow('(ETIMEDOUT)');
    expect(redistributors.online).toEqual([0, 1]);
    expect([told, machine.read(machine.rd(1) + 0x14)]).toEqual([['1 false', '1 true'], 0]);
    remove();
    driver.setOnline(1, false);
    expect(() => driver.setOnline(0, false)).toThrow('(EBUSY)');
    redistributors.onHotplug(() => {
      throw new LinuxError('ENOMEM', '/its: no');
    });
    expect(() => driver.setOnline(1, true)).toThrow('(ENOMEM)');
    expect([redistributors.online, machine.read(machine.rd(1) + 0x14)]).toEqual([[0], 6]);
  });
});
