// SPDX-License-Identifier: Apache-2.0
// One ITS as the parts of its driver share it: registers, memory, and what GITS_TYPER says. IHI 0069, "GITS_TYPER".

import { LinuxError } from '@irqkit/core';
import type { HostLog, MmioRegion, OwnedMemory } from '@irqkit/core';
import { GITS_TYPER } from '../regs.js';
import { readPair } from './register-pair.js';

export interface ItsFeatures {
  readonly deviceIdBits: number;
  readonly eventIdBits: number;
  readonly ittEntryBytes: number;
  /** How many collection ids there are. */
  readonly nrCollectionIds: number;
  /** GITS_TYPER.HCC: collections that need no table. */
  readonly nrInternalCollections: number;
  /** GITS_TYPER.PTA: an RDbase is a redistributor's address. */
  readonly targetsAreAddresses: boolean;
}

export interface ItsUnit {
  /** The node's. */
  readonly path: string;
  readonly registers: MmioRegion;
  readonly memory: OwnedMemory;
  readonly features: ItsFeatures;
  readonly log: HostLog;
}

/** @throws LinuxError ENODEV for an ITS without physical LPIs */
export function readFeatures(path: string, registers: MmioRegion): ItsFeatures {
  const typer = readPair(registers, GITS_TYPER.offset);
  if (GITS_TYPER.Physical(typer) === 0) throw new LinuxError('ENODEV', `${path}: serves no physical LPIs`);
  return {
    deviceIdBits: GITS_TYPER.Devbits(typer) + 1,
    eventIdBits: GITS_TYPER.ID_bits(typer) + 1,
    ittEntryBytes: GITS_TYPER.ITT_entry_size(typer) + 1,
    nrCollectionIds: 2 ** (GITS_TYPER.CIL(typer) === 1 ? GITS_TYPER.CIDbits(typer) + 1 : 16),
    nrInternalCollections: GITS_TYPER.HCC(typer),
    targetsAreAddresses: GITS_TYPER.PTA(typer) === 1,
  };
}
