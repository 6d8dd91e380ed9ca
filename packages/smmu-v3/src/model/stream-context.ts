// SPDX-License-Identifier: Apache-2.0
// What a stream table entry and a context descriptor mean for transactions, decoded once for each time they are fetched.
// Arm IHI 0070, sections 3.3, 5.2 and 5.4.

import { createRegime, stage2StartLevel, WALK_ACCESS } from '@irqkit/pgtable/walk';
import type { Regime } from '@irqkit/pgtable/walk';
import { CD, INSTCFG, PRIVCFG, STE, STE_CONFIG, TG0_LOG2, TG1_LOG2 } from '../layouts.js';
import { ADDRESS_SIZE_BITS } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import { usesTtb0, usesTtb1 } from './cd-illegal.js';
import { usesVmid } from './ste-illegal.js';

/** Which translations an entry of the IOTLB holds: by stage 1 at EL1, by both stages, by stage 2, by stage 1 at EL2. */
export const SPACE_KIND = { STAGE1: 0, NESTED: 1, STAGE2: 2, EL2: 3, EL2_E2H: 4 } as const;

/** How transactions of one (StreamID, SubstreamID) pass. */
export interface StreamContext {
  /** Nothing passes, silently. */
  readonly aborts: boolean;
  /** Stage 1, below VA[55] and above; undefined where EPDx disables it. */
  readonly stage1: boolean;
  readonly lower: Regime | undefined;
  readonly upper: Regime | undefined;
  readonly stage2: Regime | undefined;
  /** `lower` where there is no stage 2. */
  readonly alone: Regime | undefined;
  /** Input addresses of this size pass where stage 1 does not translate. */
  readonly inputBits: number;
  readonly tbi0: boolean;
  readonly tbi1: boolean;
  /** Faults of stage 1, and of stage 2, are recorded. */
  readonly records1: boolean;
  readonly records2: boolean;
  /** STE.S2PTW: no tables in device memory. */
  readonly s2ptw: boolean;
  /** WALK_ACCESS bits of a read and of a write. */
  readonly readAccess: number;
  readonly writeAccess: number;
  /** SPACE_KIND */
  readonly kind: number;
  readonly vmid: number;
  readonly asid: number;
  /** The number of its space in the IOTLB, set when the context is remembered. */
  space: number;
}

/** Of an entry that aborts or bypasses, or whose stage 1 is bypassed: without a context descriptor. */
export function contextOfSte(ste: Uint32Array, parameters: SmmuParameters): StreamContext {
  const config = STE.Config(ste);
  const stage2 = (config & STE_CONFIG.S2) === STE_CONFIG.S2 ? stage2Of(ste, parameters) : undefined;
  return {
    aborts: config < STE_CONFIG.BYPASS,
    stage1: false,
    lower: undefined,
    upper: undefined,
    stage2,
    alone: undefined,
    inputBits: stage2 ? parameters.ias : parameters.oas,
    tbi0: false,
    tbi1: false,
    records1: true,
    records2: recordsStage2(ste),
    s2ptw: false,
    ...accessesOf(ste, parameters),
    kind: SPACE_KIND.STAGE2,
    vmid: usesVmid(ste, parameters) ? STE.S2VMID(ste) : 0,
    asid: 0,
    space: 0,
  };
}

/** Of an entry with stage 1, and its descriptor, neither of them ILLEGAL. `kind` is one of those with stage 1. */
export function contextOfCd(
  ste: Uint32Array,
  cd: Uint32Array,
  kind: number,
  parameters: SmmuParameters,
): StreamContext {
  const el2 = kind === SPACE_KIND.EL2;
  const context = contextOfSte(ste, parameters);
  const lower = usesTtb0(cd, el2) ? stage1Of(cd, false, el2, parameters) : undefined;
  return {
    ...context,
    stage1: true,
    lower,
    alone: context.stage2 === undefined ? lower : undefined,
    upper: usesTtb1(cd, el2) ? stage1Of(cd, true, el2, parameters) : undefined,
    tbi0: CD.TBI0(cd) === 1,
    tbi1: CD.TBI1(cd) === 1,
    records1: CD.R(cd) === 1 || CD.S(cd) === 1,
    s2ptw: STE.S2PTW(ste) === 1,
    kind,
    asid: el2 ? 0 : CD.ASID(cd),
  };
}

/** A stalled fault would be recorded whatever S2R says. */
function recordsStage2(ste: Uint32Array): boolean {
  return STE.S2R(ste) === 1 || STE.S2S(ste) === 1;
}

/** Stage 2 of an entry that has it and is not ILLEGAL. */
export function stage2Of(ste: Uint32Array, { oas, xnx }: SmmuParameters): Regime | undefined {
  const granuleBytes = 2 ** TG0_LOG2[STE.S2TG(ste)];
  return createRegime({
    stage: 2,
    granuleBytes,
    inputBits: 64 - STE.S2T0SZ(ste),
    startLevel: stage2StartLevel(granuleBytes, STE.S2SL0(ste), oas),
    ttb: STE.S2TTB(ste),
    outputBits: Math.min(ADDRESS_SIZE_BITS[STE.S2PS(ste)], oas),
    paBits: oas,
    accessFlagFaults: STE.S2AFFD(ste) === 0 && STE.S2HA(ste) === 0,
    xnx,
  });
}

function stage1Of(cd: Uint32Array, upper: boolean, el2: boolean, { oas, had }: SmmuParameters): Regime | undefined {
  return createRegime({
    stage: 1,
    granuleBytes: 2 ** (upper ? TG1_LOG2[CD.TG1(cd)] : TG0_LOG2[CD.TG0(cd)]),
    inputBits: 64 - (upper ? CD.T1SZ(cd) : CD.T0SZ(cd)),
    ttb: upper ? CD.TTB1(cd) : CD.TTB0(cd),
    outputBits: Math.min(ADDRESS_SIZE_BITS[CD.IPS(cd)], oas),
    paBits: oas,
    upper,
    tbi: (upper ? CD.TBI1(cd) : CD.TBI0(cd)) === 1,
    accessFlagFaults: CD.AFFD(cd) === 0 && CD.HA(cd) === 0,
    hierarchyDisabled: had && (upper ? CD.HAD1(cd) : CD.HAD0(cd)) === 1,
    wxn: CD.WXN(cd) === 1,
    pan: !el2 && CD.PAN(cd) === 1,
    onePrivilege: el2,
  });
}

/** A device's accesses are unprivileged ones of data, but for what the entry makes of them; writes are always of data. */
export function accessesOf(
  ste: Uint32Array,
  { attributeOverrides }: SmmuParameters,
): Pick<StreamContext, 'readAccess' | 'writeAccess'> {
  const privileged = attributeOverrides && STE.PRIVCFG(ste) === PRIVCFG.PRIVILEGED ? WALK_ACCESS.PRIVILEGED : 0;
  const instruction = attributeOverrides && STE.INSTCFG(ste) === INSTCFG.INSTRUCTION ? WALK_ACCESS.INSTRUCTION : 0;
  return { readAccess: privileged | instruction, writeAccess: privileged | WALK_ACCESS.WRITE };
}
