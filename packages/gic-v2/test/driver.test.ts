// SPDX-License-Identifier: Apache-2.0
// The driver by the accesses it makes, and on the model.
import { readFileSync } from 'node:fs';
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { devicetree } from '@irqkit/conformance';
import { IRQ_TYPE, createHost } from '@irqkit/core';
import type { Bus, Host, IrqHandler, MmioRegion, Region } from '@irqkit/core';
import { gicV2 } from '@irqkit/gic-v2';
import { describeWithShared, sharedPath } from '@irqkit-test/env';

const firmware = (nrCpus: number) =>
  devicetree({
    '#address-cells': 1,
    '#size-cells': 1,
    cpus: {
      '#address-cells': 1,
      '#size-cells': 0,
      ...Object.fromEntries(
        Array.from({ length: nrCpus }, (_, cpu) => [`cpu@${cpu}`, { device_type: 'cpu', reg: cpu }]),
      ),
    },
    'intc@8000000': {
      compatible: 'arm,cortex-a15-gic',
      reg: [0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000],
      'interrupt-controller': true,
      '#interrupt-cells': 3,
    },
  });

interface Machine {
  readonly board: Board;
  readonly host: Host;
  /** `cpu r|w frame offset size value`, in order. */
  readonly trace: string[];
  /** The virq of an `interrupts` specifier. */
  map(...args: readonly number[]): number;
}

/** The driver on the model, with every access written down. */
function machine(nrCpus = 2): Machine {
  const tree = firmware(nrCpus);
  const board = createBoard({ firmware: tree, plugins: [gicV2] });
  const trace: string[] = [];
  const host = createHost({ firmware: tree, plugins: [gicV2], bus: recording(board.bus, trace) });
  const controller = tree.nodes.find(({ path }) => path === '/intc@8000000');
  if (!controller) throw new Error('no GIC in the tree');
  return { board, host, trace, map: (...args) => host.irqs.createMapping({ controller, args }) };
}

function recording(bus: Bus, trace: string[]): Bus {
  const inner = new Map<MmioRegion, MmioRegion>();
  const note = (region: MmioRegion, op: string, offset: number, size: number, value: number): void => {
    const frame = region.base === 0x800_0000 ? 'gicd' : 'gicc';
    trace.push(`${bus.cpus.current} ${op} ${frame} 0x${offset.toString(16)} ${size} 0x${value.toString(16)}`);
  };
  return {
    memory: bus.memory,
    cpus: bus.cpus,
    unmap: (region) => bus.unmap(inner.get(region) ?? region),
    map(wanted: Region) {
      const region = bus.map(wanted);
      const recorded: MmioRegion = {
        base: region.base,
        sizeBytes: region.sizeBytes,
        at: (offset) => region.at(offset),
        read(offset, size) {
          const value = region.read(offset, size);
          note(region, 'r', offset, size, value);
          return value;
        },
        write(offset, value, size) {
          note(region, 'w', offset, size, value);
          region.write(offset, value, size);
        },
        write64: (offset, lo, hi) => region.write64(offset, lo, hi),
      };
      inner.set(recorded, region);
      return recorded;
    },
  };
}

/** The accesses of `work`, without those before it. */
function tracing(trace: string[], work: () => void): string[] {
  trace.length = 0;
  work();
  return [...trace];
}

interface CapturedAccess {
  readonly n: number;
  readonly op: string;
  readonly region: string;
  readonly off: string;
  readonly size: number;
  readonly val: string;
  readonly cpu: number;
}

describeWithShared('bringing up, as captured from Linux 6.1', () => {
  it('makes the same accesses in the same order, on both CPUs', () => {
    const captured = readFileSync(sharedPath('data', 'replay', 'B', 'mmio.jsonl'), 'utf8')
      .split('\n', 500)
      .map((line) => JSON.parse(line) as CapturedAccess);
    // Up to n = 365 CPU 0 brings the GIC up, from 643 to 678 CPU 1; between them Linux enables IPIs and takes timer ticks.
    const linux = captured
      .filter(({ n }) => n <= 365 || (n >= 643 && n <= 678))
      .map(({ op, region, off, size, val, cpu }) => `${cpu} ${op} ${region} ${off} ${size} ${val}`);
    expect(linux.length).toBeGreaterThan(190);
    expect(machine().trace).toEqual(linux);
  });
});

describe('bringing up', () => {
  it('finds no target bytes on a uniprocessor and goes on', () => {
    const { trace, host } = machine(1);
    expect(trace.slice(0, 11)).toEqual([
      '0 r gicd 0x4 4 0x8',
      '0 w gicd 0x0 4 0x0',
      ...[0, 4, 8, 12, 16, 20, 24, 28].map((i) => `0 r gicd 0x${(0x800 + i).toString(16)} 4 0x0`),
      '0 w gicd 0x820 4 0x0',
    ]);
    expect(host.drivers).toHaveLength(1);
  });

  it('keeps what firmware chose for bypass, and clears active priorities of an Arm GICv2 only', () => {
    const tree = firmware(1);
    const silicon = { '/intc@8000000': { GICC_IIDR: 0x0001_043b } };
    const board = createBoard({ firmware: tree, plugins: [gicV2], silicon });
    board.bus.map({ base: 0x801_0000 as Region['base'], sizeBytes: 0x1000 }).write(0, 0x1e2, 4);
    const trace: string[] = [];
    createHost({ firmware: tree, plugins: [gicV2], bus: recording(board.bus, trace) });
    expect(trace.slice(-4)).toEqual([
      '0 w gicc 0x4 4 0xf0',
      '0 r gicc 0xfc 4 0x1043b',
      '0 r gicc 0x0 4 0x1e2',
      '0 w gicc 0x0 4 0x1e1',
    ]);
  });

  it('takes itself down at teardown, last CPU first', () => {
    const { host, trace } = machine(2);
    expect(tracing(trace, () => host.teardown())).toEqual([
      '1 r gicc 0x0 4 0x1',
      '1 w gicc 0x0 4 0x0',
      '0 r gicc 0x0 4 0x1',
      '0 w gicc 0x0 4 0x0',
      '0 w gicd 0x0 4 0x0',
    ]);
  });
});

describe('the chip', () => {
  it('masks, unmasks and moves an SPI by single writes', () => {
    const { host, trace, map } = machine(2);
    const virq = map(0, 36, IRQ_TYPE.LEVEL_HIGH);
    const data = host.irqs.irqData(virq);
    const accesses = tracing(trace, () => {
      data.chip.unmask?.(data);
      data.chip.mask?.(data);
      host.irqs.setAffinity(virq, [1, 0]);
      data.chip.retrigger?.(data);
    });
    expect(accesses).toEqual([
      '0 w gicd 0x108 4 0x10',
      '0 w gicd 0x188 4 0x10',
      '0 w gicd 0x844 1 0x2',
      '0 w gicd 0x208 4 0x10',
    ]);
    expect(data.common.effectiveAffinity).toEqual([1]);
  });

  it('sets types as Linux does: read, write where it differs, read back', () => {
    const { host, trace, map } = machine(2);
    const virq = map(0, 52, IRQ_TYPE.LEVEL_HIGH);
    const set = (type: number) => tracing(trace, () => host.irqs.setType(virq, type));
    expect(set(IRQ_TYPE.EDGE_RISING)).toEqual([
      '0 r gicd 0xc14 4 0x0',
      '0 w gicd 0xc14 4 0x200',
      '0 r gicd 0xc14 4 0x200',
    ]);
    expect(set(IRQ_TYPE.EDGE_RISING)).toEqual(['0 r gicd 0xc14 4 0x200']);
    expect(set(IRQ_TYPE.LEVEL_HIGH)).toHaveLength(3);
  });

  it('refuses types and processors that cannot be with EINVAL', () => {
    const { host, map } = machine(2);
    const spi = host.irqs.irqData(map(0, 36, IRQ_TYPE.LEVEL_HIGH));
    const sgi = host.irqs.irqData(map(3));
    for (const type of [IRQ_TYPE.LEVEL_LOW, IRQ_TYPE.EDGE_FALLING, IRQ_TYPE.EDGE_BOTH, IRQ_TYPE.NONE])
      expect(() => spi.chip.setType?.(spi, type)).toThrow(/^\/intc@8000000: INTID 68 .*\(EINVAL\)$/);
    expect(() => sgi.chip.setType?.(sgi, IRQ_TYPE.LEVEL_HIGH)).toThrow(/\(EINVAL\)$/);
    expect(() => spi.chip.setAffinity?.(spi, [2])).toThrow(/INTID 68 cannot go to CPU 2 \(EINVAL\)$/);
    expect(() => spi.chip.setAffinity?.(spi, [])).toThrow(/\(EINVAL\)$/);
  });

  it('sends IPIs to a list, and on a uniprocessor to itself', () => {
    const two = machine(2);
    const virq = two.map(5);
    expect(tracing(two.trace, () => two.host.irqs.sendIpi(virq, [1]))[0]).toBe('0 w gicd 0xf00 4 0x20005');
    const one = machine(1);
    const own = one.map(5);
    expect(tracing(one.trace, () => one.host.irqs.sendIpi(own, [0]))[0]).toBe('0 w gicd 0xf00 4 0x2000005');
  });
});

describe('the domain', () => {
  it('translates the three cells of the binding', () => {
    const { host, map } = machine(2);
    const seen = [map(0, 4, 4), map(1, 11, 0xf04), map(7)].map((virq) => {
      const { hwirq, common } = host.irqs.irqData(virq);
      return [hwirq, common.type];
    });
    expect(seen).toEqual([
      [36, 4],
      [27, 4],
      [7, 1],
    ]);
  });

  it('refuses specifiers of nothing with EINVAL', () => {
    const { map } = machine(2);
    for (const args of [[0, 256, 4], [1, 16, 4], [2, 0, 4], [16], [0, 4], []])
      expect(() => map(...args)).toThrow(`/intc@8000000: no interrupt <${args.join(' ')}> (EINVAL)`);
  });
});

describe('serving', () => {
  it('reads GICC_IAR until nothing is left, and ends each with what it read', () => {
    const { board, host, trace, map } = machine(2);
    const seen: number[] = [];
    const line = board.wire('/intc@8000000', [0, 4, 4]);
    host.irqs.requestIrq(map(0, 4, IRQ_TYPE.LEVEL_HIGH), (_virq, cpu) => (line.set(false), seen.push(cpu) > 0), 'eth');
    const accesses = tracing(trace, () => line.set(true));
    expect(seen).toEqual([0]);
    expect(accesses).toEqual(['0 r gicc 0xc 4 0x24', '0 w gicc 0x10 4 0x24', '0 r gicc 0xc 4 0x3ff']);
  });

  it('ends an SGI with the CPU that sent it', () => {
    const { host, trace, map } = machine(2);
    const virq = map(1);
    const seen: number[] = [];
    const handler: IrqHandler = (_virq, cpu) => seen.push(cpu) > 0;
    host.irqs.requestPercpuIrq(virq, handler, 'IPI');
    const accesses = tracing(trace, () => host.irqs.cpus.runOn(1, () => host.irqs.sendIpi(virq, [0, 1])));
    expect(seen.sort()).toEqual([0, 1]);
    expect(accesses).toEqual(
      expect.arrayContaining(['0 r gicc 0xc 4 0x401', '0 w gicc 0x10 4 0x401', '1 w gicc 0x10 4 0x401']),
    );
  });

  it('serves a PPI of each CPU on that CPU', () => {
    const { board, host, map } = machine(2);
    const seen: number[] = [];
    const lines = [0x104, 0x204].map((flags) => board.wire('/intc@8000000', [1, 11, flags]));
    host.irqs.requestPercpuIrq(map(1, 11, 4), (_virq, cpu) => (lines[cpu].set(false), seen.push(cpu) > 0), 'timer');
    lines[1].set(true);
    lines[0].set(true);
    expect(seen).toEqual([1, 0]);
  });

  it('ends and reports an interrupt that nothing maps', () => {
    const { board, host, trace } = machine(2);
    const gicd = board.bus.map({ base: 0x800_0000 as Region['base'], sizeBytes: 0x1_0000 });
    const accesses = tracing(trace, () => gicd.write(0xf00, 0x0001_0009, 4));
    expect(accesses).toEqual(['0 r gicc 0xc 4 0x9', '0 w gicc 0x10 4 0x9', '0 r gicc 0xc 4 0x3ff']);
    expect(host.log.warnings).toEqual(['/intc@8000000: INTID 9 is mapped to nothing']);
  });
});
