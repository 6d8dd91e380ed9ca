// SPDX-License-Identifier: Apache-2.0
// Commands that QEMU takes and the manual makes illegal in what the recorded SMMU has.

import { commands, regs } from '@irqkit/smmu-v3';

const { IDR0, IDR3 } = regs;
const { CMD_TLBI_NH_VA } = commands;

const STAGE_1 = 'Arm IHI 0070, 4.4.2 "TLB invalidation of stage 1"';

const CDS: readonly number[] = [commands.CMD_CFGI_CD.opcode, commands.CMD_CFGI_CD_ALL.opcode];
const EL1: readonly number[] = [
  commands.CMD_TLBI_NH_ALL.opcode,
  commands.CMD_TLBI_NH_ASID.opcode,
  CMD_TLBI_NH_VA.opcode,
  commands.CMD_TLBI_NH_VAA.opcode,
];
const EL3: readonly number[] = [commands.CMD_TLBI_EL3_ALL.opcode, commands.CMD_TLBI_EL3_VA.opcode];
const EL2: readonly number[] = [
  commands.CMD_TLBI_EL2_ALL.opcode,
  commands.CMD_TLBI_EL2_ASID.opcode,
  commands.CMD_TLBI_EL2_VA.opcode,
  commands.CMD_TLBI_EL2_VAA.opcode,
];

const BY_ADDRESS: readonly number[] = [
  CMD_TLBI_NH_VA.opcode,
  commands.CMD_TLBI_NH_VAA.opcode,
  commands.CMD_TLBI_EL2_VA.opcode,
  commands.CMD_TLBI_EL2_VAA.opcode,
  commands.CMD_TLBI_S2_IPA.opcode,
];

export interface CommandDeparture {
  readonly why: string;
  readonly section: string;
}

/** Why a command is CERROR_ILL; undefined where nothing known makes it so. */
export function illegalByManual(
  words: Uint32Array,
  { IDR0: idr0 = 0, IDR3: idr3 = 0 }: Readonly<Record<string, number>>,
): CommandDeparture | undefined {
  const opcode = commands.commandOpcode(words);
  if (opcode === commands.CMD_ATC_INV.opcode && IDR0.ATS(idr0) === 0)
    return { why: 'illegal where SMMU_IDR0.ATS is 0: QEMU takes it', section: 'Arm IHI 0070, 4.5.1 "CMD_ATC_INV"' };
  if (CDS.includes(opcode) && IDR0.S1P(idr0) === 0)
    return { why: 'illegal where stage 1 is not implemented: QEMU takes it', section: 'Arm IHI 0070, 4.3.3, 4.3.4' };
  if (EL1.includes(opcode) && IDR0.S1P(idr0) === 0)
    return { why: 'illegal where stage 1 is not implemented: QEMU takes it', section: STAGE_1 };
  if (EL2.includes(opcode) && IDR0.Hyp(idr0) === 0)
    return { why: 'illegal where SMMU_IDR0.Hyp is 0: QEMU takes it', section: STAGE_1 };
  if (EL3.includes(opcode)) return { why: 'illegal in the Non-secure queue: QEMU takes it', section: STAGE_1 };
  if (BY_ADDRESS.includes(opcode) && IDR3.RIL(idr3) === 1 && isReservedRange(words))
    return {
      why: 'NUM, SCALE and TTL of 0 with a TG are reserved, and illegal: QEMU invalidates one page',
      section: 'Arm IHI 0070, 4.4.1.1',
    };
  return undefined;
}

function isReservedRange(words: Uint32Array): boolean {
  const { NUM, SCALE, TG, TTL } = CMD_TLBI_NH_VA;
  return TG(words) !== 0 && NUM(words) === 0 && SCALE(words) === 0 && TTL(words) === 0;
}
