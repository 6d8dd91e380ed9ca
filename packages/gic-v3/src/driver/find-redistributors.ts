// SPDX-License-Identifier: Apache-2.0
// Which Redistributor is whose: GICR_TYPER of every one in every region, by affinity. Linux 6.1 irq-gic-v3.c,
// gic_iterate_rdists and gic_populate_rdist.

import { hex } from '@irqkit/bits';
import { LinuxError, physAddr } from '@irqkit/core';
import type { MmioRegion, ProbeContext, Redistributor } from '@irqkit/core';
import { ARCH_REV, GICR_FRAME_BYTES, GICR_PIDR2, GICR_TYPER, GICR_TYPER_Affinity_Value } from '../regs.js';
import { nrRedistributorRegions, redistributorStride } from '../description/redistributor-regions.js';

/** One processor's Redistributor: RD_base as `frame`, and SGI_base. */
export interface PrivateFrames extends Redistributor {
  readonly sgi: MmioRegion;
  /** The low word of GICR_TYPER. */
  readonly typer: number;
}

/**
 * Every processor's Redistributor, by processor.
 * @throws LinuxError ENODEV where a processor has none; FirmwareError where `reg` names too few regions
 */
export function findRedistributors(context: ProbeContext): readonly PrivateFrames[] {
  const { node, bus, devres } = context;
  const { mpidr } = bus.cpus;
  const cpuOf = new Map(mpidr.map((affinity, cpu) => [affinityValue(affinity), cpu]));
  const frames = new Map<number, PrivateFrames>();
  const map = (region: MmioRegion, offset: number): MmioRegion => {
    const frame = bus.map({ base: physAddr(region.at(offset)), sizeBytes: GICR_FRAME_BYTES });
    devres.add(() => bus.unmap(frame));
    return frame;
  };
  for (let i = 1; i <= nrRedistributorRegions(node); i++) {
    const region = context.ioremap(i);
    for (const { offset, typer, affinity } of walk(context, region)) {
      const cpu = cpuOf.get(affinity);
      if (cpu === undefined || frames.has(cpu)) continue;
      const processorNumber = GICR_TYPER.Processor_Number(typer);
      const [frame, sgi] = [map(region, offset), map(region, offset + GICR_FRAME_BYTES)];
      frames.set(cpu, { cpu, processorNumber, typer, frame, sgi });
    }
  }
  return mpidr.map((affinity, cpu) => {
    const own = frames.get(cpu);
    if (!own) throw new LinuxError('ENODEV', `${node.path}: CPU ${cpu} (${hex(affinity)}) has no redistributor`);
    return own;
  });
}

interface Found {
  readonly offset: number;
  readonly typer: number;
  readonly affinity: number;
}

function* walk({ node, log }: ProbeContext, region: MmioRegion): Generator<Found> {
  const revision = GICR_PIDR2.ArchRev(region.read(GICR_PIDR2.offset, 4));
  if (revision !== ARCH_REV.GICv3 && revision !== ARCH_REV.GICv4) {
    log.warn(`${node.path}: no redistributor at ${hex(region.base)}`);
    return;
  }
  const stride = redistributorStride(node);
  for (let offset = 0; offset + 2 * GICR_FRAME_BYTES <= region.sizeBytes;) {
    const typer = region.read(offset + GICR_TYPER.offset, 4);
    yield { offset, typer, affinity: region.read(offset + GICR_TYPER_Affinity_Value.offset, 4) };
    if (GICR_TYPER.Last(typer) === 1) return;
    offset += stride ?? GICR_FRAME_BYTES * (GICR_TYPER.VLPIS(typer) === 1 ? 4 : 2);
  }
}

/** MPIDR affinity as GICR_TYPER holds it: Aff3 comes down to [31:24]. */
function affinityValue(mpidr: number): number {
  return Math.floor(mpidr / 2 ** 32) * 0x100_0000 + (mpidr % 0x100_0000);
}
