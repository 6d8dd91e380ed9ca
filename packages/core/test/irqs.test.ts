// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { LinuxError, formatProcInterrupts, interruptRows } from '@irqkit/core';
import type { IrqCore } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { stubNode } from './stub-machine.js';
import { ROOT_NODE, toyRoot } from './toy-controllers.js';

const wired = (irqs: IrqCore, hwirq: number, type = 1): number =>
  irqs.createMapping({ controller: ROOT_NODE, args: [hwirq, type] });

describe('mapping', () => {
  it('makes an interrupt once for one specifier', () => {
    const { irqs, root } = toyRoot();
    expect(wired(irqs, 9)).toBe(1);
    expect(wired(irqs, 4)).toBe(2);
    expect(wired(irqs, 9)).toBe(1);
    expect(root.find(4)?.virq).toBe(2);
    irqs.freeIrqs(1, 1);
    expect(root.find(9)).toBeUndefined();
    expect(wired(irqs, 5)).toBe(1);
  });

  it('refuses a hwirq outside the domain, leaving nothing', () => {
    const { irqs } = toyRoot();
    expect(() => wired(irqs, 32)).toThrow('root: no hwirq 32 (EINVAL)');
    expect(irqs.all).toEqual([]);
  });

  it('says ENODEV for a controller that nothing drives', () => {
    const { irqs } = toyRoot();
    const spec = { controller: stubNode({ path: '/other' }), args: [1, 1] };
    expect(() => irqs.createMapping(spec)).toThrow('/other: no driver makes a wired domain for it (ENODEV)');
  });

  it('refuses a second domain of a node for one purpose, and removal while interrupts are mapped', () => {
    const { irqs, root } = toyRoot();
    const options = { name: 'again', node: ROOT_NODE, busToken: 'wired', ops: root.ops };
    expect(() => irqs.createDomain(options)).toThrow('EEXIST');
    const virq = wired(irqs, 1);
    expect(() => irqs.removeDomain(root)).toThrow('EBUSY');
    irqs.freeIrqs(virq, 1);
    irqs.removeDomain(root);
    expect(irqs.findDomain(ROOT_NODE, 'wired')).toBeUndefined();
  });

  it('allocates contiguous runs, lowest first, and leaks none of them', () => {
    const step = fc.record({ free: fc.boolean(), nr: fc.integer({ min: 1, max: 5 }), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { irqs, root } = toyRoot();
        const live = new Map<number, number>();
        const slots = new Set<number>();
        for (const { free, nr, which } of steps) {
          const runsNow = [...live];
          if (free && runsNow.length > 0) {
            const [virq, count] = runsNow[which % runsNow.length];
            irqs.freeIrqs(virq, count);
            live.delete(virq);
            for (let i = 0; i < count; i++) slots.delete(virq + i);
            continue;
          }
          let expected = 1;
          while (Array.from({ length: nr }, (_, i) => expected + i).some((n) => slots.has(n))) expected++;
          if (expected + nr > 32) continue;
          expect(irqs.allocIrqs(root, nr, { hwirq: expected })).toBe(expected);
          live.set(expected, nr);
          for (let i = 0; i < nr; i++) slots.add(expected + i);
        }
        expect(irqs.all.map(({ virq }) => virq)).toEqual([...slots].sort((a, b) => a - b));
        expect(root.nrMapped).toBe(slots.size);
      }),
      { numRuns: runs(100, 2000), seed },
    );
  });
});

describe('requesting', () => {
  it('types, places and unmasks at the first handler, masks at the last', () => {
    const { irqs, journal } = toyRoot();
    const virq = wired(irqs, 7, 4);
    const first = () => true;
    const second = () => false;
    irqs.requestIrq(virq, first, 'a');
    irqs.requestIrq(virq, second, 'b');
    expect(journal).toEqual(['type 7 4', 'affinity 7 0,1', 'unmask 7']);
    irqs.freeIrq(virq, first);
    expect(journal).toHaveLength(3);
    irqs.freeIrq(virq, second);
    expect(journal.slice(3)).toEqual(['mask 7']);
    expect(() => irqs.freeIrq(virq, second)).toThrow('ENOENT');
  });

  it('refuses numbers that are not allocated and types the chip does not have', () => {
    const { irqs } = toyRoot();
    expect(() => irqs.requestIrq(3, () => true, 'x')).toThrow('irq 3 is not allocated (EINVAL)');
    expect(() => irqs.setType(wired(irqs, 1), 2)).toThrow('no falling edges (EINVAL)');
  });

  it('adds no handler where unmasking fails', () => {
    const { irqs, root } = toyRoot();
    const virq = wired(irqs, 3);
    const { data } = irqs.irqDesc(virq);
    const { chip } = data;
    let broken = true;
    data.chip = {
      ...chip,
      unmask: (level) => {
        if (broken) throw new LinuxError('EIO', 'INV refused');
        chip.unmask?.(level);
      },
    };
    let served = 0;
    const handler = () => ++served > 0;
    expect(() => irqs.requestIrq(virq, handler, 'x')).toThrow('INV refused (EIO)');
    expect(irqs.irqDesc(virq)).toMatchObject({ actions: [], disableDepth: 1 });
    broken = false;
    irqs.requestIrq(virq, handler, 'x');
    irqs.handleDomainIrq(root, 3);
    expect(served).toBe(1);
  });

  it('nests disabling, and raises again what arrived meanwhile', () => {
    const { irqs, root, journal } = toyRoot();
    const virq = wired(irqs, 3);
    let served = 0;
    irqs.requestIrq(virq, () => ++served > 0, 'x');
    irqs.disable(virq);
    irqs.disable(virq);
    irqs.handleDomainIrq(root, 3);
    expect(served).toBe(0);
    irqs.enable(virq);
    expect(journal.slice(-3)).toEqual(['mask 3', 'mask 3', 'eoi 3']);
    irqs.enable(virq);
    expect(journal.slice(-2)).toEqual(['unmask 3', 'retrigger 3']);
    expect(() => irqs.enable(virq)).toThrow('unbalanced');
  });

  it('runs a per-CPU interrupt on every processor', () => {
    const { irqs, root, journal, cpus } = toyRoot();
    const virq = irqs.allocIrqs(root, 1, { hwirq: 2 });
    irqs.setFlow(virq, 'percpu');
    const taken: number[] = [];
    const handler = (_virq: number, cpu: number) => taken.push(cpu) > 0;
    irqs.requestPercpuIrq(virq, handler, 'IPI0');
    expect(journal).toEqual(['unmask 2', 'unmask 2']);
    irqs.sendIpi(virq, [0, 1]);
    expect(journal.slice(2)).toEqual(['ipi 2 0,1']);
    cpus.runOn(1, () => irqs.handleDomainIrq(root, 2));
    expect(taken).toEqual([1]);
    irqs.freePercpuIrq(virq, handler);
    expect(irqs.irqDesc(virq).actions).toEqual([]);
  });
});

describe('flows', () => {
  it.each([
    ['fasteoi', ['handler', 'eoi 6']],
    ['edge', ['ack 6', 'handler']],
    ['level', ['mask 6', 'ack 6', 'handler', 'unmask 6']],
    ['percpu', ['ack 6', 'handler', 'eoi 6']],
  ] as const)('%s touches the chip in its order', (flow, expected) => {
    const { irqs, root, journal } = toyRoot();
    const virq = wired(irqs, 6);
    irqs.setFlow(virq, flow);
    irqs.requestIrq(virq, () => journal.push('handler') > 0, 'x');
    journal.length = 0;
    expect(irqs.handleDomainIrq(root, 6)).toBe(true);
    expect(journal).toEqual(expected);
  });

  it('disables an interrupt that nobody handles', () => {
    const { irqs, root, journal, warnings } = toyRoot();
    const virq = wired(irqs, 6);
    irqs.requestIrq(virq, () => false, 'x');
    for (let i = 0; i < 99_999; i++) irqs.handleDomainIrq(root, 6);
    expect(warnings).toEqual([]);
    irqs.handleDomainIrq(root, 6);
    expect(warnings).toEqual([`irq ${virq}: nobody cared, disabled`]);
    expect(journal.slice(-2)).toEqual(['mask 6', 'eoi 6']);
  });

  it('leaves alone what maps to nothing', () => {
    const { irqs, root } = toyRoot();
    expect(irqs.handleDomainIrq(root, 30)).toBe(false);
  });
});

describe('entry', () => {
  it('takes interrupts on the processor that has them, not while they are disabled, never nested', () => {
    const { irqs, cpus } = toyRoot();
    const taken: string[] = [];
    let depth = 0;
    const remove = irqs.setRootHandler((cpu) => {
      taken.push(`${cpu} on ${cpus.current} depth ${depth}`);
      depth++;
      cpus.lower(cpu);
      if (cpu === 0 && taken.length === 1) cpus.raise(1);
      depth--;
    });
    cpus.raise(0);
    expect(taken).toEqual(['0 on 0 depth 0', '1 on 1 depth 0']);
    irqs.withIrqsDisabled(() => {
      cpus.raise(1);
      expect(taken).toHaveLength(2);
    });
    expect(taken).toHaveLength(3);
    expect(() => irqs.setRootHandler(() => undefined)).toThrow('EBUSY');
    remove();
    cpus.raise(0);
    expect(taken).toHaveLength(3);
  });

  it('stays usable after a handler that throws', () => {
    const { irqs, cpus } = toyRoot();
    let calls = 0;
    irqs.setRootHandler((cpu) => {
      cpus.lower(cpu);
      if (++calls === 1) throw new Error('handler');
    });
    expect(() => cpus.raise(1)).toThrow('handler');
    expect(cpus.current).toBe(0);
    cpus.raise(1);
    expect(calls).toBe(2);
  });
});

describe('/proc/interrupts', () => {
  it('shows who took what', () => {
    const { irqs, root, cpus } = toyRoot();
    irqs.requestIrq(wired(irqs, 27, 4), () => true, 'arch_timer');
    irqs.requestIrq(wired(irqs, 5), () => true, 'eth0');
    wired(irqs, 6);
    irqs.handleDomainIrq(root, 27);
    cpus.runOn(1, () => irqs.handleDomainIrq(root, 27));
    irqs.handleDomainIrq(root, 27);
    expect(interruptRows(irqs)[0]).toEqual({
      virq: 1,
      counts: [2, 1],
      chip: 'ROOT',
      hwirq: 27,
      trigger: 'Level',
      actions: ['arch_timer'],
    });
    expect(formatProcInterrupts(irqs).split('\n')).toEqual([
      '           CPU0       CPU1',
      '  1:          2          1      ROOT  27 Level     arch_timer',
      '  2:          0          0      ROOT   5 Edge      eth0',
    ]);
  });
});
