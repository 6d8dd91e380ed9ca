// SPDX-License-Identifier: Apache-2.0
// A fault as listeners see it, decoded from the registers that record it. IHI 0062, SMMU_CBn_FSR, SMMU_CBn_FSYNR0, SMMU_GFSR,
// SMMU_GFSYNR0.
// UNIMP: stalled transactions

import { hex } from '@irqkit/bits';
import type { Field } from '@irqkit/bits';
import type { Device } from '@irqkit/core';
import { FSR, FSYNR0, GFSR, GFSYNR0 } from '../regs.js';

/** @linux struct iommu_fault */
export interface SmmuFault {
  /** Every kind that the register tells of, by the manual's names: `TF`; in the order of its bits. */
  readonly kinds: readonly string[];
  /** The context bank; undefined for a global fault. */
  readonly bank: number | undefined;
  readonly streamId: number;
  /** A device whose stream it is; undefined where no device has it. */
  readonly device: Device | undefined;
  /** What the device put on the bus, exact below 2^53. */
  readonly address: number;
  readonly access: 'read' | 'write';
  readonly privileged: boolean;
  readonly instruction: boolean;
  /** Of the tables' level; undefined for a global fault. */
  readonly level: number | undefined;
  /** True where others came after it, of which nothing is known. */
  readonly multiple: boolean;
}

/** The registers of a context fault, and of a global one. */
export interface ContextFaultRecord {
  readonly bank: number;
  readonly fsr: number;
  readonly fsynr0: number;
  readonly far: number;
}
export interface GlobalFaultRecord {
  readonly gfsr: number;
  readonly gfsynr0: number;
  readonly gfar: number;
}
/** Whose access it was. */
export interface FaultSource {
  readonly streamId: number;
  readonly device: Device | undefined;
}

const { TF, AFF, PF, EF, TLBMCF, TLBLKF, ASF, UUT } = FSR;
const CONTEXT_KINDS: Readonly<Record<string, Field>> = { TF, AFF, PF, EF, TLBMCF, TLBLKF, ASF, UUT };
const { ICF, USF, SMCF, UCBF, UCIF, CAF } = GFSR;
const GLOBAL_KINDS: Readonly<Record<string, Field>> = {
  ICF,
  USF,
  SMCF,
  UCBF,
  UCIF,
  CAF,
  EF: GFSR.EF,
  PF: GFSR.PF,
  UUT: GFSR.UUT,
};

export function decodeContextFault({ bank, fsr, fsynr0, far }: ContextFaultRecord, source: FaultSource): SmmuFault {
  return {
    ...source,
    kinds: kindsOf(CONTEXT_KINDS, fsr),
    bank,
    address: far,
    access: FSYNR0.WNR(fsynr0) ? 'write' : 'read',
    privileged: FSYNR0.PNU(fsynr0) === 1,
    instruction: FSYNR0.IND(fsynr0) === 1,
    level: FSYNR0.PLVL(fsynr0),
    multiple: FSR.MULTI(fsr) === 1,
  };
}

export function decodeGlobalFault({ gfsr, gfsynr0, gfar }: GlobalFaultRecord, source: FaultSource): SmmuFault {
  return {
    ...source,
    kinds: kindsOf(GLOBAL_KINDS, gfsr),
    bank: undefined,
    address: gfar,
    access: GFSYNR0.WNR(gfsynr0) ? 'write' : 'read',
    privileged: GFSYNR0.PNU(gfsynr0) === 1,
    instruction: GFSYNR0.IND(gfsynr0) === 1,
    level: undefined,
    multiple: GFSR.MULTI(gfsr) === 1,
  };
}

/** `FSR.TF`, `GFSR.USF`. */
export function faultEvent({ kinds, bank }: SmmuFault): string {
  return `${bank === undefined ? 'GFSR' : 'FSR'}.${kinds.join('+') || 'none'}`;
}

/** `FSR.TF StreamID=0x30 (0000:00:06.0): write of 0x70020000, context bank 2, level 3`. */
export function describeFault(fault: SmmuFault): string {
  const { streamId, device, access, address, bank, level, multiple } = fault;
  const who = `${faultEvent(fault)} StreamID=${hex(streamId)}${device ? ` (${device.name})` : ''}`;
  const details = [
    `${access} of ${hex(address)}`,
    ...(bank === undefined ? [] : [`context bank ${bank}`]),
    ...(level === undefined ? [] : [`level ${level}`]),
    ...(multiple ? ['others after it'] : []),
  ];
  return `${who}: ${details.join(', ')}`;
}

function kindsOf(kinds: Readonly<Record<string, Field>>, value: number): readonly string[] {
  return Object.keys(kinds).filter((kind) => kinds[kind](value) === 1);
}
