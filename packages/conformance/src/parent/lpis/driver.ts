// SPDX-License-Identifier: Apache-2.0

import { physAddr, REDISTRIBUTORS } from '@irqkit/core';
import type { IrqChip, IrqDomain, MmioRegion, ProbeContext, Redistributor } from '@irqkit/core';
import { probePlainController } from '../driver.js';
import { END } from '../regs.js';
import { FIRST_LPI, FRAME_BYTES, ID_BITS } from './regs.js';

/** The plain controller's driver, with LPIs in its domain, and redistributors for the drivers of ITSs. */
export function probePlainLpiController(context: ProbeContext): IrqDomain {
  const { bus, devres, node } = context;
  const { base } = node.reg(1);
  const byCpu = bus.cpus.mpidr.map((_, cpu): Redistributor => {
    const frame = bus.map({ base: physAddr(base + cpu * FRAME_BYTES), sizeBytes: FRAME_BYTES });
    devres.add(() => bus.unmap(frame));
    return { cpu, frame, processorNumber: cpu };
  });
  context.provide(REDISTRIBUTORS, {
    byCpu,
    idBits: ID_BITS,
    hasLpis: true,
    online: byCpu.map(({ cpu }) => cpu),
    onHotplug: () => () => undefined,
  });
  return probePlainController(context, { first: FIRST_LPI, count: 2 ** ID_BITS - FIRST_LPI, chip: lpiChip });
}

// The ITS masks its LPIs in their configuration table, and moves them by command.
const lpiChip = (registers: MmioRegion): IrqChip => ({
  name: 'PLAIN',
  eoi: ({ hwirq }) => registers.write(END.offset, hwirq, 4),
});
