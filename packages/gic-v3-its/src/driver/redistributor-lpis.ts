// SPDX-License-Identifier: Apache-2.0
// Switching a redistributor's LPIs on and off. IHI 0069, "GICR_CTLR": whether EnableLPIs can go back to 0 is implementation
// defined (CES tells), and the tables may be changed only while it is 0 and RWP has been seen as 0.

import { LinuxError } from '@irqkit/core';
import type { MmioRegion, Redistributor } from '@irqkit/core';
import { GICR_CACHE, GICR_CTLR, GICR_PENDBASER, GICR_PROPBASER, GICR_SHAREABILITY } from './gicr-regs.js';
import { POLL_LIMIT } from './its-control.js';
import { readPair, writePair } from './register-pair.js';

export function areLpisEnabled({ frame }: Redistributor): boolean {
  return GICR_CTLR.EnableLPIs(frame.read(GICR_CTLR.offset, 4)) === 1;
}

/** @throws LinuxError ETIMEDOUT, EBUSY where they stay enabled @linux redist_disable_lpis */
export function disableLpis(path: string, { cpu, frame }: Redistributor): void {
  frame.write(GICR_CTLR.offset, GICR_CTLR.EnableLPIs.set(frame.read(GICR_CTLR.offset, 4), 0), 4);
  for (let polls = 0; polls < POLL_LIMIT; polls++) {
    const ctlr = frame.read(GICR_CTLR.offset, 4);
    if (GICR_CTLR.RWP(ctlr) === 1) continue;
    if (GICR_CTLR.EnableLPIs(ctlr) === 0) return;
    throw new LinuxError('EBUSY', `${path}: the redistributor of CPU ${cpu} does not let go of its LPIs`);
  }
  throw new LinuxError('ETIMEDOUT', `${path}: the redistributor of CPU ${cpu} does not finish disabling LPIs`);
}

export interface LpiTableAddresses {
  readonly config: number;
  readonly pending: number;
  /** INTID bits. */
  readonly idBits: number;
}

/** Only while they are disabled. @linux its_cpu_init_lpis */
export function enableLpis({ frame }: Redistributor, tables: LpiTableAddresses): void {
  const config = new Uint32Array(2);
  GICR_PROPBASER.IDbits.put(config, tables.idBits - 1);
  GICR_PROPBASER.Physical_Address.put(config, tables.config);
  writeShared(frame, GICR_PROPBASER, config);
  const pending = new Uint32Array(2);
  GICR_PENDBASER.Physical_Address.put(pending, tables.pending);
  writeShared(frame, GICR_PENDBASER, pending);
  frame.write(GICR_CTLR.offset, GICR_CTLR.EnableLPIs.set(frame.read(GICR_CTLR.offset, 4), 1), 4);
}

// A redistributor that does not share reads back so; then its accesses are not cacheable either.
function writeShared(frame: MmioRegion, register: typeof GICR_PROPBASER | typeof GICR_PENDBASER, value: Uint32Array) {
  register.InnerCache.put(value, GICR_CACHE.READ_WRITE_ALLOCATE_WRITE_BACK);
  register.Shareability.put(value, GICR_SHAREABILITY.INNER);
  writePair(frame, register.offset, value);
  if (register.Shareability(readPair(frame, register.offset)) !== GICR_SHAREABILITY.NON) return;
  register.InnerCache.put(value, GICR_CACHE.NON_CACHEABLE);
  register.Shareability.put(value, GICR_SHAREABILITY.NON);
  writePair(frame, register.offset, value);
}
