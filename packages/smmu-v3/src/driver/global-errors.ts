// SPDX-License-Identifier: Apache-2.0
// GERROR, which tells of an error until GERRORN agrees with it. IHI 0070, sections 6.3.19 and 7.5 "Global error recording".

import type { Field } from '@irqkit/bits';
import { GERROR, GERRORN } from '../regs.js';
import type { SmmuUnit } from './smmu-unit.js';

const MESSAGES: readonly (readonly [Field, string])[] = [
  [GERROR.SFM_ERR, 'the SMMU is in Service Failure Mode'],
  [GERROR.MSI_GERROR_ABT_ERR, 'the MSI of a global error was aborted'],
  [GERROR.MSI_PRIQ_ABT_ERR, 'the MSI of a page request was aborted'],
  [GERROR.MSI_EVENTQ_ABT_ERR, 'the MSI of an event was aborted'],
  [GERROR.MSI_CMDQ_ABT_ERR, 'the MSI of a SYNC was aborted'],
  [GERROR.PRIQ_ABT_ERR, 'a write of the page request queue was aborted: requests may be lost'],
  [GERROR.EVENTQ_ABT_ERR, 'a write of the event queue was aborted: events may be lost'],
];
const KNOWN = [GERROR.CMDQ_ERR, ...MESSAGES.map(([field]) => field)];

export interface ErrorConsumers {
  /** Gets the command queue past the command that it stands at; false where it is to stay there. */
  skipRefused(): boolean;
  /** After a service failure. */
  disable(): void;
}

/** @returns false where there was no error, or the command queue stays at one @linux arm_smmu_gerror_handler */
export function serveGlobalErrors({ path, registers, log }: SmmuUnit, consumers: ErrorConsumers): boolean {
  const gerror = registers.read(GERROR.offset, 4);
  const active = (gerror ^ registers.read(GERRORN.offset, 4)) >>> 0;
  if (!KNOWN.some((field) => field(active))) return false;
  for (const [field, message] of MESSAGES) if (field(active)) log.warn(`${path}: ${message}`);
  if (GERROR.SFM_ERR(active)) consumers.disable();
  const stays = GERROR.CMDQ_ERR(active) === 1 && !consumers.skipRefused();
  const acknowledged = stays ? GERROR.CMDQ_ERR.set(gerror, 1 - GERROR.CMDQ_ERR(gerror)) : gerror;
  registers.write(GERRORN.offset, acknowledged, 4);
  return !stays;
}
