// SPDX-License-Identifier: Apache-2.0

import type { ModelLog } from '@irqkit/core';
import { IDR0, IDR0_HTTU, IDR0_STALL_MODEL, IDR0_TTENDIAN, IDR0_TTF, IDR1 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';

/** Says what the ID registers promise and the model does not have. */
export function reportGaps({ idr0, idr1, ats, pri }: SmmuParameters, log: ModelLog): void {
  if (ats) log.unimp('IDR0.ATS: translation requests do not exist, CMD_ATC_INV does nothing');
  if (pri) log.unimp('IDR0.PRI: no page request reaches the PRI queue');
  // UNIMP: hardware updates of tables (HTTU)
  if (IDR0.HTTU(idr0) !== IDR0_HTTU.NONE) log.unimp('IDR0.HTTU: descriptors are not updated');
  if (IDR0.STALL_MODEL(idr0) !== IDR0_STALL_MODEL.TERMINATE) log.unimp('IDR0.STALL_MODEL: no transaction stalls');
  // UNIMP: termination that is no abort (CD.A of 0)
  if (IDR0.TERM_MODEL(idr0) === 0) log.unimp('IDR0.TERM_MODEL: CD.A of 0 aborts too');
  // UNIMP: AArch32 translation tables
  if ((IDR0.TTF(idr0) & IDR0_TTF.AARCH32) !== 0) log.unimp('IDR0.TTF: AArch32 tables are ILLEGAL');
  // UNIMP: big-endian translation tables
  if (IDR0.TTENDIAN(idr0) !== IDR0_TTENDIAN.LITTLE) log.unimp('IDR0.TTENDIAN: big-endian tables are ILLEGAL');
  // UNIMP: address translation operations (ATOS)
  if (IDR0.ATOS(idr0) === 1) log.unimp('IDR0.ATOS: the GATOS registers are RAZ/WI');
  // UNIMP: preset tables and queues
  if (IDR1.TABLES_PRESET(idr1) === 1 || IDR1.QUEUES_PRESET(idr1) === 1) log.unimp('IDR1: bases are not preset');
}
