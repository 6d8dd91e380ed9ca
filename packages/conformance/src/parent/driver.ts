// SPDX-License-Identifier: Apache-2.0

import { IRQ_TYPE, LinuxError } from '@irqkit/core';
import type {
  FirmwareNode,
  InterruptSpec,
  IrqChip,
  IrqDomain,
  IrqDomainOps,
  MmioRegion,
  ProbeContext,
} from '@irqkit/core';
import { ACK, ENABLE, END, FIRST_INPUT, LEVEL, NONE, NR_INTIDS, TARGET } from './regs.js';

/** INTIDs that are no inputs, and how they are served. */
export interface FurtherIntids {
  readonly first: number;
  readonly count: number;
  chip(registers: MmioRegion): IrqChip;
}

/** Serves as the root: a `wired` domain whose hwirqs are INTIDs. */
export function probePlainController(context: ProbeContext, further?: FurtherIntids): IrqDomain {
  const { node, devres, irqs } = context;
  const registers = context.ioremap(0);
  const ranges: IntidsOfChip[] = [
    { first: FIRST_INPUT, count: NR_INTIDS - FIRST_INPUT, chip: plainChip(node, registers) },
  ];
  if (further) ranges.push({ ...further, chip: further.chip(registers) });
  const domain = irqs.createDomain({
    name: node.path,
    node,
    busToken: 'wired',
    ops: plainDomainOps(node, ranges),
  });
  devres.add(() => irqs.removeDomain(domain));
  const serve = (): void => {
    for (let intid = registers.read(ACK.offset, 4); intid !== NONE; intid = registers.read(ACK.offset, 4)) {
      if (!irqs.handleDomainIrq(domain, intid)) registers.write(END.offset, intid, 4);
    }
  };
  devres.add(irqs.setRootHandler(serve));
  return domain;
}

interface IntidsOfChip {
  readonly first: number;
  readonly count: number;
  readonly chip: IrqChip;
}

function plainChip(node: FirmwareNode, registers: MmioRegion): IrqChip {
  return {
    name: 'PLAIN',
    mask: ({ hwirq }) => registers.write(ENABLE.offset + hwirq, 0, 1),
    unmask: ({ hwirq }) => registers.write(ENABLE.offset + hwirq, 1, 1),
    eoi: ({ hwirq }) => registers.write(END.offset, hwirq, 4),
    setType({ hwirq }, type) {
      if (type !== IRQ_TYPE.EDGE_RISING && type !== IRQ_TYPE.LEVEL_HIGH)
        throw new LinuxError('EINVAL', `${node.path}: INTID ${hwirq} cannot have type ${type}`);
      registers.write(LEVEL.offset + hwirq, type === IRQ_TYPE.LEVEL_HIGH ? 1 : 0, 1);
    },
    setAffinity({ hwirq, common }, cpus) {
      registers.write(TARGET.offset + hwirq, cpus[0], 1);
      common.effectiveAffinity = [cpus[0]];
    },
  };
}

function plainDomainOps(node: FirmwareNode, ranges: readonly IntidsOfChip[]): IrqDomainOps {
  const translate = ({ args }: InterruptSpec): { hwirq: number; type: number } => {
    const [kind, number, type] = args;
    if (args.length !== 3 || kind !== 0 || FIRST_INPUT + number >= NR_INTIDS)
      throw new LinuxError('EINVAL', `${node.path}: no interrupt <${args.join(' ')}>`);
    return { hwirq: FIRST_INPUT + number, type };
  };
  return {
    translate: (_domain, spec) => translate(spec),
    alloc(domain, virq, nr, { spec, hwirq }) {
      const from = spec ? translate(spec).hwirq : (hwirq ?? -1);
      const range = ranges.find(({ first, count }) => from >= first && from + nr <= first + count);
      if (!range) throw new LinuxError('EINVAL', `${node.path}: no ${nr} interrupts from ${from}`);
      for (let i = 0; i < nr; i++) domain.setInfo(virq + i, from + i, range.chip);
    },
    free: () => undefined,
  };
}
