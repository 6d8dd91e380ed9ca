// SPDX-License-Identifier: Apache-2.0

import type { ModelLog } from '@irqkit/core';
import { ARCHITECTURE, IDR0, IDR0_PTFS } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';

/** Says what the ID registers promise and the model does not have. */
export function reportGaps({ idr0, version, stage1 }: SmmuParameters, log: ModelLog): void {
  const short = stage1 && IDR0.PTFS(idr0) === IDR0_PTFS.LONG_AND_SHORT;
  if (short) log.unimp('IDR0.PTFS: AArch32 short-descriptor tables translate nothing');
  if (stage1 && (version < ARCHITECTURE.V2 || IDR0.ATOSNS(idr0) === 0)) log.unimp('IDR0.ATOSNS: ATS1* do nothing');
  // UNIMP: more than 128 stream match register groups (IDR0.EXSMRGS)
  if (IDR0.EXSMRGS(idr0) === 1) log.unimp('IDR0.EXSMRGS: no extended stream match registers');
}
