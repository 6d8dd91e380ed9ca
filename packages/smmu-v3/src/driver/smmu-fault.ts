// SPDX-License-Identifier: Apache-2.0
// An event record as listeners see it. IHI 0070, section 7.3 "Event records": which fields a record has.

import { hex } from '@irqkit/bits';
import type { Device } from '@irqkit/core';
import { EVENT, EVENT_CLASS, EVENT_NAMES, EVENT_NUMBER } from '../layouts.js';

/** What a fault came from: fetching a context descriptor, a translation table, or the transaction itself. */
export type FaultClass = keyof typeof EVENT_CLASS;

/** @linux struct iommu_fault */
export interface SmmuFault {
  /** By the manual's name, `F_TRANSLATION`; `event 0x30` for one it does not name. */
  readonly type: string;
  readonly number: number;
  readonly streamId: number;
  /** Undefined for a transaction without one. */
  readonly substreamId: number | undefined;
  /** Whose StreamID it is; undefined where no device has it. */
  readonly device: Device | undefined;
  /** Undefined where the record tells of no transaction. */
  readonly access: 'read' | 'write' | undefined;
  readonly privileged: boolean;
  readonly instruction: boolean;
  /** What the device put on the bus, exact below 2^53; undefined where the record does not say. */
  readonly address: number | undefined;
  /** 2 where stage 2 faulted; undefined where no stage did. */
  readonly stage: 1 | 2 | undefined;
  readonly class: FaultClass | undefined;
  /** The input of stage 2. */
  readonly ipa: number | undefined;
  /** Where the SMMU failed to read its own tables. */
  readonly fetchAddress: number | undefined;
  /** True where the transaction waits; the driver aborts it. */
  readonly stalled: boolean;
  /** By which a stalled transaction is named. */
  readonly stag: number;
  /** The record's eight words. */
  readonly record: readonly number[];
}

const N = EVENT_NUMBER;
/** Records of a translation that faulted: with a stage and a class. */
const TRANSLATION = new Set<number>([N.F_TRANSLATION, N.F_ADDR_SIZE, N.F_ACCESS, N.F_PERMISSION, N.F_WALK_EABT]);
/** Records of a transaction beside these: with an input address and its attributes. */
const TRANSACTION = new Set<number>([...TRANSLATION, N.F_UUT, N.F_TRANSL_FORBIDDEN, N.F_TLB_CONFLICT]);
const FETCH = new Set<number>([N.F_STE_FETCH, N.F_CD_FETCH, N.F_WALK_EABT, N.F_VMS_FETCH]);
const CLASSES = Object.keys(EVENT_CLASS) as FaultClass[];

export function decodeFault(record: Uint32Array, deviceOf: (streamId: number) => Device | undefined): SmmuFault {
  const number = EVENT.number(record);
  const streamId = EVENT.StreamID(record);
  const translated = TRANSLATION.has(number);
  const transaction = TRANSACTION.has(number);
  const stage2 = translated && EVENT.S2(record) === 1;
  return {
    type: EVENT_NAMES[number] ?? `event ${hex(number, 2)}`,
    number,
    streamId,
    substreamId: EVENT.SSV(record) ? EVENT.SubstreamID(record) : undefined,
    device: deviceOf(streamId),
    access: transaction ? (EVENT.RnW(record) ? 'read' : 'write') : undefined,
    privileged: transaction && EVENT.PnU(record) === 1,
    instruction: transaction && EVENT.InD(record) === 1,
    address: transaction ? EVENT.InputAddrHigh(record) * 2 ** 32 + EVENT.InputAddrLow(record) : undefined,
    stage: translated ? (stage2 ? 2 : 1) : undefined,
    class: translated ? CLASSES.find((name) => EVENT_CLASS[name] === EVENT.CLASS(record)) : undefined,
    ipa: stage2 && number !== N.F_WALK_EABT ? EVENT.IPA(record) : undefined,
    fetchAddress: FETCH.has(number) ? EVENT.FetchAddr(record) : undefined,
    stalled: translated && EVENT.Stall(record) === 1,
    stag: EVENT.STAG(record),
    record: [...record],
  };
}

/** `F_TRANSLATION StreamID=0x30 (0000:00:06.0): read of 0x70020000, stage 1, class IN`. */
export function describeFault(fault: SmmuFault): string {
  const { type, streamId, substreamId, device, access, address, stage, ipa, fetchAddress } = fault;
  const details = [
    access !== undefined && address !== undefined ? `${access} of ${hex(address)}` : undefined,
    stage === undefined ? undefined : `stage ${stage}`,
    fault.class === undefined ? undefined : `class ${fault.class}`,
    ipa === undefined ? undefined : `IPA ${hex(ipa)}`,
    fetchAddress === undefined ? undefined : `fetching ${hex(fetchAddress)}`,
    fault.stalled ? 'stalled' : undefined,
  ].filter((detail) => detail !== undefined);
  const substream = substreamId === undefined ? '' : ` SubstreamID=${hex(substreamId)}`;
  const who = `${type} StreamID=${hex(streamId)}${substream}${device ? ` (${device.name})` : ''}`;
  return details.length === 0 ? who : `${who}: ${details.join(', ')}`;
}
